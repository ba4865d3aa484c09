import { beforeAll, beforeEach, expect, it } from 'vitest';

import { user } from '../../devnet/accounts.ts';
import { makeEvaluationKeys, rotatedRows } from '../../devnet/computing.ts';
import { encrypt } from '../../sdk/index.ts';
import { audit } from '../../tasks/support/audit/audit.ts';
import { convicted } from '../../tasks/support/audit/findings.ts';
import { registerCiphertext } from '../../tasks/support/ciphertexts.ts';
import { keyFileOf } from '../../tasks/support/key-files.ts';
import { downloadPublicKey } from '../../tasks/support/keys.ts';
import { galoisElements } from '../../workers/fhe/galois-elements.ts';
import {
  entriesOf,
  openingBytes,
  type EvaluationKeyRequest,
} from '../../workers/protocols/evaluation-keys.ts';
import type { Step } from '../../workers/protocols/opening.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { LARGE_OPERATION_BYTES } from '../../workers/operator/config/config.ts';
import { compute, gathered } from '../workers/fhe/evaluation.ts';
import { Cluster } from './cluster.ts';
import { becomeRegistrar, sumNoiseBits } from './vouching.ts';

// Keys above the size from which shares go to one opener instead of from all to all.

const set = parameterSet('bfv-8192-b20');
const steps = [1, -1, 2, -2, 4, -4, 0];

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4, { set });
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

it('are made although one opener lies and another operator is killed half-way', async () => {
  const { keyId, governor: gateway } = cluster;
  const elements = galoisElements(set.degree, steps);
  const wanted = { kind: 'galois', keyId, elements } as const;
  expect(openingBytes(wanted, set)).toBeGreaterThan(LARGE_OPERATION_BYTES);

  // Whose turn is first lies to all of the others. Any fixed operator may, by chance, never have a turn.
  const liar = firstOpener(wanted);
  await cluster.restart(liar, { conduct: 'lying-opener' });
  const victim = cluster.operator((liar % 4) + 1);
  let killed: Promise<void> | undefined;
  const requestId = await makeEvaluationKeys(gateway, wanted, {
    onProgress: () => {
      killed ??= victim.kill().then(() => victim.start());
    },
  });
  await killed;
  await victim.waitHealthy();

  const faults = await cluster.namedFaults(requestId, 2);
  expect(faults).toEqual([expect.objectContaining({ index: liar, reason: 'WRONG_VALUE' })]);

  const { parts } = await keyFileOf(gateway, keyId, { kind: 'galois', steps });
  const galois = await gathered(parts);
  const publicKey = await downloadPublicKey(gateway, keyId);
  const slots = Array.from({ length: set.degree }, (_, at) => BigInt(at));
  const { rotated } = compute(set, { galois }, ({ evaluator, galois: keys, load }) => {
    const ciphertext = load(encrypt(set, publicKey, { slots }));
    evaluator.rotateRowsInplace(ciphertext, -4, keys);
    return { rotated: ciphertext };
  });
  const noiseBits = sumNoiseBits(set, cluster.epoch.committee, 1);
  await becomeRegistrar(gateway);
  const vouched = { keyId, bytes: rotated, noiseBits, owner: user.address };
  const registered = await registerCiphertext(gateway, vouched);
  const values = { slots: rotatedRows(slots, -4) };
  const { decrypted, expected } = await cluster.roundTrip.decrypt(registered, values);
  expect(decrypted).toEqual(expected);

  const report = await audit(gateway, requestId);
  expect(report.failure).toBeUndefined();
  expect(report.openings).toBe(4 * elements.length);
  // Its shares were right: what it published is what it lied about.
  expect(convicted(report.operators)).toEqual([]);
});

/** Index of the operator whose turn it is to open the first value of a request. */
function firstOpener(request: EvaluationKeyRequest): number {
  const { epochId, setupDigest, committee } = cluster.epoch;
  const { chainId, addresses } = cluster.governor;
  const session = {
    chainId,
    gateway: addresses.decryptionGateway,
    epochId,
    setupDigest,
    committee,
  };
  const [entry] = entriesOf(session, request, set, () => 0);
  const [{ opening }] = entry.digit(0).next().value as readonly Step[];
  return Number(BigInt(opening.id) % BigInt(committee.n)) + 1;
}
