/**
 * `node --import` this: TCP connections to a port of 127.0.0.1 that KEYLOOM_TEST_RELAYS maps to another one
 * go there instead ({@link Relays.environmentOf}). The program knows nothing of it.
 */
import { Socket, type TcpSocketConnectOpts } from 'node:net';
import process from 'node:process';

const relays = JSON.parse(process.env['KEYLOOM_TEST_RELAYS'] ?? '{}') as Record<string, number>;
const connect = Reflect.get(Socket.prototype, 'connect') as (...args: unknown[]) => Socket;

Socket.prototype.connect = function redirected(this: Socket, ...args: unknown[]): Socket {
  // `net.connect` hands over its arguments as one array.
  const [first] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args;
  if (typeof first === 'object' && first !== null) {
    const options = first as Partial<TcpSocketConnectOpts>;
    const relay =
      options.host === '127.0.0.1' && options.port !== undefined && relays[options.port];
    if (relay) options.port = relay;
  }
  return connect.apply(this, args);
};
