import { beforeAll, beforeEach, expect, it } from 'vitest';

import { makeEvaluationKeys, rotatedRows, sumNoiseBits } from '../../devnet/computing.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { encrypt } from '../../sdk/index.ts';
import { audit } from '../../tasks/support/audit/audit.ts';
import { convicted } from '../../tasks/support/audit/findings.ts';
import { keyFileOf } from '../../tasks/support/key-files.ts';
import { downloadPublicKey } from '../../tasks/support/keys.ts';
import { galoisElements } from '../../workers/fhe/galois-elements.ts';
import { openingBytes } from '../../workers/protocols/evaluation-keys.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { LARGE_OPERATION_BYTES } from '../../workers/operator/config.ts';
import { compute, gathered } from '../workers/fhe/evaluation.ts';
import { Cluster } from './cluster.ts';

// Keys above the size from which shares go to one opener instead of from all to all.

const set = parameterSet('bfv-8192-b20');
const steps = [1, -1, 2, -2, 4, -4, 0];

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4, set);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

it('are made although one opener lies and another operator is killed half-way', async () => {
  const { keyId, governor: gateway } = cluster;
  const elements = galoisElements(set.degree, steps);
  const wanted = { kind: 'galois', keyId, elements } as const;
  expect(openingBytes(wanted, set)).toBeGreaterThan(LARGE_OPERATION_BYTES);

  await cluster.restart(2, { conduct: 'lying-opener' });
  const victim = cluster.operator(4);
  let killed: Promise<void> | undefined;
  const requestId = await makeEvaluationKeys(gateway, wanted, {
    onProgress: () => {
      killed ??= victim.kill().then(() => victim.start());
    },
  });
  await killed;
  await victim.waitHealthy();

  const faults = await waitUntil('the honest operators name operator 2', async () => {
    const named = await cluster.faults(requestId);
    return named.length > 0 ? named : undefined;
  });
  expect(faults).toEqual([expect.objectContaining({ index: 2, reason: 'WRONG_VALUE' })]);

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
  const registered = await cluster.roundTrip.registerBytes(rotated, noiseBits);
  const values = { slots: rotatedRows(slots, -4) };
  const { decrypted, expected } = await cluster.roundTrip.decrypt(registered, values);
  expect(decrypted).toEqual(expected);

  const report = await audit(gateway, requestId);
  expect(report.failure).toBeUndefined();
  expect(report.openings).toBe(4 * elements.length);
  // Its shares were right: what it published is what it lied about.
  expect(convicted(report.operators)).toEqual([]);
});
