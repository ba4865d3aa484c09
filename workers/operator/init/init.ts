import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { bytesToHex } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';

import type { GatewayClient } from '../../chain/client.ts';
import { isKeyloomError } from '../../errors.ts';
import { generatePeerKey, peerIdOf, peerIdToBytes } from '../../net/host/index.ts';
import { compareBinding } from '../../store/binding.ts';
import { defaultKdf, type KdfParameters } from '../../store/encryption.ts';
import { writeNewFile } from '../../store/files.ts';
import { createIdentity, loadIdentity, type Identity } from '../../store/keystore.ts';
import { assertPrivate } from '../../store/private-files.ts';
import type { OperatorConfig } from '../config/config.ts';
import { connect } from '../doctor/chain.ts';
import { ports } from '../doctor/network.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { readPassphrase } from '../passphrase.ts';
import { nextSteps } from './next-steps.ts';
import { atTerminal, type Ask } from './questions.ts';
import { registrationName, type Registration } from './registration.ts';
import { configurationName, conflict, settle, type InitOptions } from './settings.ts';

/** What `init` has made or found. */
export interface Initialised {
  readonly folder: string;
  readonly config: OperatorConfig;
  readonly registration: Registration;
  /** Names of what was there already. */
  readonly kept: readonly string[];
  readonly gateway: GatewayClient;
}

/** Who is at the command line. */
export interface Person {
  /** Called once; `isNew` if it will protect an identity that is made now. */
  readonly passphrase: (options: { isNew: boolean }) => Promise<string>;
  /** Is told how it gets on. */
  readonly say: (text: string) => void;
  /** Undefined if nobody can be asked. */
  readonly ask: Ask | undefined;
}

/**
 * Makes in a folder what an operator needs: configuration, identity, data directory and registration, in
 * this order. What is there is checked and kept, so that an `init` that was cut off, or a restored backup,
 * is completed by another one. Nothing is written before the endpoint, the gateway and the ports have been
 * looked at.
 *
 * @param kdf of a new identity
 * @throws OperatorError INIT_INCOMPLETE, INIT_CONFLICT, INIT_WRITE_FAILED, CONFIG_INVALID, ADDRESS_INVALID,
 *   PORT_UNUSABLE, PASSPHRASE_MISSING; ChainError; StoreError of an identity that does not open
 */
export async function initialise(
  path: string,
  options: InitOptions,
  { passphrase, say, ask }: Person,
  kdf: KdfParameters = defaultKdf,
): Promise<Initialised> {
  const folder = resolve(path);
  const settings = await settle(folder, options, ask);
  const { config, newConfig } = settings;
  if (newConfig !== undefined) await requirePorts(config);
  say('asking the endpoint for chain and gateway');
  const gateway = await reach(config);
  say(`chain ${gateway.chainId} has the gateway`);

  const kept: string[] = [];
  const make = async (name: string, write: () => Promise<boolean>): Promise<void> => {
    if (!(await writing(folder, write))) kept.push(name);
  };
  // Before anything is written, so that nothing is left behind if it does not open what is there.
  const found = await existing(config.identity, passphrase);
  let identity: Identity;
  if ('identity' in found) identity = found.identity;
  else {
    say('making the identity, which takes a moment');
    identity = { signerKey: generatePrivateKey(), peerKey: await generatePeerKey() };
  }
  const registration = registrationOf(identity, gateway, config, settings);
  belongTogether(registration, gateway, config, settings.registration);
  await make(configurationName, async () => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (newConfig === undefined) return false;
    await writeNewFile(join(folder, configurationName), newConfig, 0o600);
    return true;
  });
  await make('identity.json', async () => {
    if ('identity' in found) return false;
    await createIdentity(config.identity, found.passphrase, identity, { kdf });
    return true;
  });
  await make('data', async () => {
    const made = await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
    assertPrivate(config.dataDir, 'data');
    return made !== undefined;
  });
  await make(registrationName, async () => {
    if (settings.registration !== undefined) return false;
    const text = `${JSON.stringify(registration, null, 2)}\n`;
    await writeNewFile(join(folder, registrationName), text, 0o644);
    return true;
  });
  return { folder, config, registration, kept, gateway };
}

/** `keyloom-operator init`: makes the folder and says what comes next. */
export async function runInit(
  folder: string,
  options: InitOptions & { readonly json?: boolean | undefined },
  passphraseFile: string | undefined,
): Promise<void> {
  const made = await initialise(folder, options, {
    passphrase: (how) => readPassphrase(passphraseFile, how),
    say: (text) => process.stderr.write(`${text}\n`),
    ask: atTerminal(),
  });
  const text = options.json ? `${JSON.stringify(made.registration)}\n` : await nextSteps(made);
  process.stdout.write(text);
}

/** The identity that is there, or the passphrase for a new one. */
async function existing(
  path: string,
  passphrase: Person['passphrase'],
): Promise<{ identity: Identity } | { passphrase: string }> {
  const isThere = existsSync(path);
  const given = await passphrase({ isNew: !isThere });
  return isThere ? { identity: await loadIdentity(path, given) } : { passphrase: given };
}

function registrationOf(
  identity: Identity,
  { chainId }: GatewayClient,
  { gateway }: OperatorConfig,
  { multiaddr, endpoint }: Pick<Registration, 'multiaddr' | 'endpoint'>,
): Registration {
  const peerId = peerIdOf(identity.peerKey);
  return {
    format: 'keyloom-registration/1',
    chainId: String(chainId),
    gateway,
    signer: privateKeyToAddress(identity.signerKey),
    peerId,
    peerIdBytes: bytesToHex(peerIdToBytes(peerId)),
    multiaddr,
    endpoint,
  };
}

/** What is there is of one operator on one deployment. */
function belongTogether(
  registration: Registration,
  { chainId }: GatewayClient,
  { dataDir, gateway }: OperatorConfig,
  written: Registration | undefined,
): void {
  const { signer } = registration;
  if (compareBinding(dataDir, { chainId, gateway, signer }) === 'other')
    throw conflict(`${dataDir} belongs to another chain, gateway or signer`);
  if (written !== undefined && JSON.stringify(written) !== JSON.stringify(registration))
    throw conflict(
      `${registrationName} is of another chain, gateway or identity: move it away, and a new one is written`,
    );
}

async function requirePorts(config: OperatorConfig): Promise<void> {
  const found = await ports(config, false);
  if (found.status !== 'problem') return;
  throw new OperatorError(
    OperatorErrorCode.PORT_UNUSABLE,
    `${found.detail}: stop what has it, or give another one with --p2p-port, --http-port, --metrics-port`,
  );
}

/** What to do where an endpoint, or what it says, cannot be used. */
async function reach(config: OperatorConfig): Promise<GatewayClient> {
  try {
    return await connect(config);
  } catch (error) {
    if (isKeyloomError(error))
      error.message += ' Check --rpc and --gateway; nothing has been written.';
    throw error;
  }
}

async function writing<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (isKeyloomError(cause) || !(cause instanceof Error && 'code' in cause)) throw cause;
    throw new OperatorError(
      OperatorErrorCode.INIT_WRITE_FAILED,
      `${folder} cannot be written to (${String(cause.code)}): choose a folder of this account`,
      { cause },
    );
  }
}
