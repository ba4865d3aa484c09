import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAddressEqual } from 'viem';

import { loadConfig, parseConfig, type OperatorConfig } from '../config/config.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { askFor, type Ask } from './questions.ts';
import {
  announcedAddress,
  announcedEndpoint,
  portOf,
  registrationName,
  type Registration,
} from './registration.ts';

/** Name of the configuration in an operator's folder. */
export const configurationName = 'operator.json';

/** Ports that an operator has unless it is told others; the packages name them, too. */
export const DEFAULT_PORTS = { 'p2p-port': '9101', 'http-port': '8080', 'metrics-port': '9464' };
/** Behind a reverse proxy all users have one address. */
const CONNECTIONS_OF_PROXY = 512;

/** Options of `init`, as they are on the command line. */
export interface InitOptions {
  readonly rpc?: string[] | undefined;
  readonly gateway?: string | undefined;
  readonly host?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly 'p2p-port'?: string | undefined;
  readonly 'http-port'?: string | undefined;
  readonly 'metrics-port'?: string | undefined;
}

const deploymentQuestions = [
  ['rpc', 'URL of a JSON-RPC endpoint of the L2'],
  ['gateway', 'Address of the DecryptionGateway'],
] as const;
const addressQuestions = [
  ['host', 'Where other operators reach this machine (IP address or name)'],
  ['endpoint', 'Where users reach it (URL)'],
] as const;

/** What a folder is to have. */
export interface Settings {
  readonly config: OperatorConfig;
  /** The configuration as text; undefined if the file is there. */
  readonly newConfig: string | undefined;
  /** What is announced. */
  readonly multiaddr: string;
  readonly endpoint: string;
  /** The registration that is there. */
  readonly registration: Registration | undefined;
}

/**
 * What the options say, with what is in the folder already, and with what a person is asked for.
 *
 * @throws OperatorError INIT_INCOMPLETE, INIT_CONFLICT, CONFIG_INVALID, ADDRESS_INVALID
 */
export async function settle(
  folder: string,
  options: InitOptions,
  ask: Ask | undefined,
): Promise<Settings> {
  const file = join(folder, configurationName);
  const isThere = existsSync(file);
  const registration = registrationIn(folder);
  const wanted = [
    ...(isThere ? [] : deploymentQuestions),
    ...(registration === undefined ? addressQuestions : []),
  ].filter(([name]) => options[name] === undefined);
  const asked = await askFor(wanted, ask);
  const given = { ...options, ...asked, rpc: options.rpc ?? [asked.rpc ?? ''] };

  const newConfig = isThere ? undefined : configurationFrom(given);
  const config = newConfig === undefined ? loadConfig(file) : parseConfig(newConfig, folder);
  if (isThere) sameConfiguration(config, options, file);
  const announced =
    registration ??
    ({
      multiaddr: announcedAddress(given.host ?? '', portOf(config.listen[0])),
      endpoint: announcedEndpoint(given.endpoint ?? ''),
    } as const);
  if (registration !== undefined) sameAddresses(registration, options, folder);
  return {
    config,
    newConfig: newConfig && `${JSON.stringify(newConfig, null, 2)}\n`,
    multiaddr: announced.multiaddr,
    endpoint: announced.endpoint,
    registration,
  };
}

function configurationFrom(given: InitOptions): object {
  const host = given.host?.includes(':') ? '/ip6/::' : '/ip4/0.0.0.0';
  return {
    identity: 'identity.json',
    dataDir: 'data',
    rpcUrls: given.rpc,
    gateway: given.gateway,
    listen: [`${host}/tcp/${portIn(given, 'p2p-port')}`],
    http: {
      host: '127.0.0.1',
      port: portIn(given, 'http-port'),
      connectionsPerAddress: CONNECTIONS_OF_PROXY,
    },
    metrics: { host: '127.0.0.1', port: portIn(given, 'metrics-port') },
  };
}

function portIn(given: InitOptions, name: keyof typeof DEFAULT_PORTS): number {
  const text = given[name] ?? DEFAULT_PORTS[name];
  if (/^[1-9]\d{0,4}$/u.test(text) && Number(text) < 65_536) return Number(text);
  throw new OperatorError(OperatorErrorCode.ADDRESS_INVALID, `--${name} must be a port: ${text}`);
}

function sameConfiguration(config: OperatorConfig, given: InitOptions, file: string): void {
  const { rpc, gateway } = given;
  const ports = [
    ['p2p-port', portOf(config.listen[0])],
    ['http-port', config.http.port],
    ['metrics-port', config.metrics?.port],
  ] as const;
  const other = [
    ...(rpc !== undefined && rpc.join() !== config.rpcUrls.join() ? ['--rpc'] : []),
    ...(gateway !== undefined && !sameAddress(gateway, config.gateway) ? ['--gateway'] : []),
    ...ports.flatMap(([name, port]) =>
      given[name] !== undefined && Number(given[name]) !== port ? [`--${name}`] : [],
    ),
  ];
  if (other.length > 0)
    throw conflict(
      `${file} says otherwise than ${other.join(', ')}: edit the file, or leave the option out`,
    );
}

const sameAddress = (given: string, own: OperatorConfig['gateway']): boolean =>
  given.toLowerCase() === own.toLowerCase() || isAddressEqual(own, given as typeof own);

function sameAddresses(found: Registration, { host, endpoint }: InitOptions, folder: string): void {
  const port = portOf(found.multiaddr);
  const isSame =
    (host === undefined || announcedAddress(host, port) === found.multiaddr) &&
    (endpoint === undefined || endpoint === found.endpoint);
  if (isSame) return;
  const file = join(folder, registrationName);
  throw conflict(`${file} has other addresses: move it away, and a new one is written`);
}

function registrationIn(folder: string): Registration | undefined {
  const file = join(folder, registrationName);
  if (!existsSync(file)) return undefined;
  try {
    const found = JSON.parse(readFileSync(file, 'utf8')) as Registration;
    if (found.format === 'keyloom-registration/1') return found;
  } catch {
    // Said below.
  }
  throw conflict(`${file} is no registration: move it away, and a new one is written`);
}

export const conflict = (message: string): OperatorError =>
  new OperatorError(OperatorErrorCode.INIT_CONFLICT, message);
