import { dirname } from 'node:path';
import { privateKeyToAddress } from 'viem/accounts';

import { isKeyloomError } from '../../errors.ts';
import { capsOf, loadConfig, type OperatorConfig } from '../config/config.ts';
import * as chain from './chain.ts';
import {
  examined,
  ok,
  problem,
  skipped,
  type Check,
  type CheckName,
  type Finding,
} from './checks.ts';
import * as machine from './machine.ts';
import * as network from './network.ts';

/**
 * Checks a configuration and what is around it. Nothing is changed, and nothing secret is told.
 *
 * @param passphrase of the identity; may throw if there is none
 * @param onCheck is told of each check when it is done: some wait for the network
 */
export async function examine(
  file: string,
  passphrase: () => string | Promise<string>,
  onCheck: (check: Check) => void = () => undefined,
  system = machine.thisMachine(),
): Promise<Check[]> {
  const checks: Check[] = [];
  const note = (name: CheckName, finding: Finding): void => {
    const check = { name, ...finding };
    checks.push(check);
    onCheck(check);
  };

  let config: OperatorConfig;
  try {
    config = loadConfig(file);
    note('configuration', ok(file));
  } catch (error) {
    const detail = isKeyloomError(error) ? error.message : 'UNEXPECTED';
    note(
      'configuration',
      problem(detail, 'mend the file; docs/operator.schema.json has the rules'),
    );
    return checks;
  }

  const complete = `restore it, or keyloom-operator init --folder ${dirname(config.identity)}`;
  note('identity', await examined(() => machine.identityFile(config), complete));
  let signer: ReturnType<typeof privateKeyToAddress> | undefined;
  const open = async (): Promise<Finding> => {
    const { signerKey } = await machine.openIdentity(config, passphrase);
    signer = privateKeyToAddress(signerKey);
    return ok(`opens the identity of ${signer}`);
  };
  note('passphrase', await examined(open, 'give the passphrase that the identity was made with'));

  const own = 'give the directory to the user that the operator runs as';
  note('data-directory', await examined(() => machine.dataDirectory(config), own));
  note('disk', await machine.disk(config));
  note('open-files', machine.openFiles(system));
  note('core-dumps', machine.coreDumps(system));
  note('swap', machine.swap(system));

  let gateway: Awaited<ReturnType<typeof chain.connect>> | undefined;
  const reach = async (): Promise<Finding> => {
    gateway = await chain.connect(config);
    return ok(`chain ${gateway.chainId}, gateway ${config.gateway}`);
  };
  note('rpc', await examined(reach, 'check "rpcUrls", "gateway", and the endpoints themselves'));

  note(
    'endpoints',
    gateway === undefined
      ? skipped('rpc')
      : await examined(() => chain.endpoints(config), 'check each URL'),
  );

  const again = 'run the doctor again: the endpoint has answered before';
  const ofChain = async (
    name: CheckName,
    look: (at: NonNullable<typeof gateway>) => Promise<Finding>,
  ): Promise<void> => {
    const connected = gateway;
    note(
      name,
      connected === undefined ? skipped('rpc') : await examined(() => look(connected), again),
    );
  };
  const ofSigner = async (
    name: CheckName,
    look: (at: NonNullable<typeof gateway>, as: NonNullable<typeof signer>) => Promise<Finding>,
  ): Promise<void> => {
    const address = signer;
    if (address === undefined) note(name, skipped('passphrase'));
    else await ofChain(name, (at) => look(at, address));
  };

  let registered: chain.Registered | undefined;
  await ofSigner('binding', async (at, as) => chain.binding(config, at, as));
  await ofChain('clock', (at) => chain.clock(config, at, system.now));
  await ofSigner('registered', async (at, as) => {
    const found = await chain.registeredOperator(at, as);
    registered = found?.entry;
    if (found !== undefined) return ok(`operator ${found.operator}`);
    return problem(`no operator has the signer ${as}`, 'the owner runs kms operator register');
  });
  const entry = registered;
  const ofEntry = async (
    name: CheckName,
    look: (of: chain.Registered) => Promise<Finding>,
  ): Promise<void> => {
    if (entry === undefined) note(name, skipped('registered'));
    else note(name, await examined(() => look(entry), again));
  };
  await ofEntry('bond', (of) => chain.bond(gateway!, of, system.now));
  await ofSigner('balance', (at, address) => chain.balance(at, address, capsOf(config)));

  const isUp = signer !== undefined && (await network.isRunning(config, signer));
  note('ports', await examined(() => network.ports(config, isUp), 'mend the listen addresses'));
  await ofEntry('multiaddr', ({ multiaddr }) => network.announced(config, multiaddr, isUp));
  await ofEntry('endpoint', (of) => network.endpoint(config, of.endpoint, of.signer, isUp));
  await ofSigner('peers', network.peers);
  return checks;
}

/** A check as people read it. */
export function asText(check: Check): string {
  const marks = { ok: 'ok      ', skipped: 'skipped ', problem: 'PROBLEM ' };
  const line = `${marks[check.status]} ${check.name}: ${check.detail}\n`;
  return check.status === 'problem' ? `${line}          to fix: ${check.fix}\n` : line;
}
