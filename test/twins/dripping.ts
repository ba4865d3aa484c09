import { u32Bytes } from '../../workers/net/bytes.ts';
import { Status } from '../../workers/net/exchange/frames.ts';
import type { Host } from '../../workers/net/host/index.ts';

/** Answers every question of a protocol with the beginning of an answer, and breaks off. */
export function drip(host: Host, protocol: string): Promise<void> {
  return host.handle(protocol, async (_, stream) => {
    stream.send(Uint8Array.of(Status.answered, ...u32Bytes(1_000), 0));
    await stream.close();
  });
}
