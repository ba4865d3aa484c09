import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Hex } from 'viem';

import { user } from '../../devnet/accounts.ts';
import {
  computingKeys,
  makeEvaluationKeys,
  rotatedRows,
  type ComputingKeys,
} from '../../devnet/computing.ts';
import { decryptForUser } from '../../devnet/for-user.ts';
import { sampleSlots } from '../../devnet/round-trip.ts';
import { createUserKeys, encrypt } from '../../sdk/index.ts';
import { audit } from '../../tasks/support/audit/audit.ts';
import { registerCiphertext } from '../../tasks/support/ciphertexts.ts';
import { requestPublicDecryption, waitForDecryption } from '../../tasks/support/decryptions.ts';
import { allowSwitching } from '../../tasks/support/evaluation-keys.ts';
import { keyFileOf } from '../../tasks/support/key-files.ts';
import { downloadPublicKey, labelOf, requestKey, waitForKey } from '../../tasks/support/keys.ts';
import { meterOf } from '../../tasks/support/meter.ts';
import { seal } from '../../workers/fhe/seal.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { compute, gathered } from '../workers/fhe/evaluation.ts';
import { Cluster } from './cluster.ts';
import { becomeRegistrar, productNoiseBits } from './vouching.ts';

// Real operators make every key that stock SEAL takes; stock SEAL computes with them.

const set = parameterSet('insecure-bfv-1024-b17');
const t = set.plainModulus;
const half = set.degree / 2;

let cluster: Cluster;
let publicKey: Uint8Array;

beforeAll(async () => {
  cluster = await Cluster.start(4, { set });
  publicKey = await downloadPublicKey(cluster.governor, cluster.keyId);
  await becomeRegistrar(cluster.governor);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

/** Registers a computed ciphertext as the user's and has it decrypted for everybody. */
async function decrypted(keyId: Hex, bytes: Uint8Array, noiseBits: number): Promise<bigint[]> {
  const { handle } = await registerCiphertext(cluster.governor, {
    ...{ keyId, bytes, noiseBits },
    owner: user.address,
  });
  return slotsOf(handle);
}

async function slotsOf(handle: Hex): Promise<bigint[]> {
  const gateway = await cluster.devnet.as(user);
  const requestId = await requestPublicDecryption(gateway, { handles: [handle] });
  const { plaintexts } = await waitForDecryption(gateway, requestId, { timeoutMs: 60_000 });
  return plaintexts[0].slots!;
}

const left = sampleSlots(set, 1n);
const right = sampleSlots(set, 2n);
const products = left.map((value, at) => (value * right[at]) % t);

describe('keys to compute with', () => {
  let keys: ComputingKeys;

  it('are made although one operator lies in every opening, and it is named', async () => {
    await cluster.restart(2, { conduct: 'shifted' });
    // Keys are asked for once: it has to be in step with the others before.
    await cluster.openedBy([2], () => cluster.roundTrip.run({ scalar: 1n }));
    keys = await computingKeys(cluster.governor, set, cluster.keyId, 'default');
    for (const requestId of keys.requests) {
      const faults = await cluster.namedFaults(requestId, 3);
      expect(faults).toEqual([
        expect.objectContaining({ index: 2, reason: 'WRONG_SHARE', reportedBy: [1, 3, 4] }),
      ]);
    }
    await cluster.restart(2);
  });

  it('let stock SEAL multiply, relinearize, rotate both ways and swap the rows', async () => {
    const results = compute(set, keys, ({ evaluator, relinearization, galois, load }, own) => {
      const product = load(encrypt(set, publicKey, { slots: left }));
      evaluator.multiplyInplace(product, load(encrypt(set, publicKey, { slots: right })));
      evaluator.relinearizeInplace(product, relinearization);
      const forth = own(new seal.Ciphertext());
      evaluator.rotateRows(product, 1, galois, forth);
      const back = own(new seal.Ciphertext());
      evaluator.rotateRows(product, -3, galois, back);
      const swapped = own(new seal.Ciphertext());
      evaluator.rotateColumns(product, galois, swapped);
      return { product, forth, back, swapped };
    });
    // A rotation by 3 to the right is put together from two powers of two.
    const bits = (rotations: number) => productNoiseBits(set, cluster.epoch.committee, rotations);
    expect(await decrypted(cluster.keyId, results.product, bits(0))).toEqual(products);
    expect(await decrypted(cluster.keyId, results.forth, bits(1))).toEqual(
      rotatedRows(products, 1),
    );
    expect(await decrypted(cluster.keyId, results.back, bits(2))).toEqual(
      rotatedRows(products, -3),
    );
    const swapped = [...products.slice(half), ...products.slice(0, half)];
    expect(await decrypted(cluster.keyId, results.swapped, bits(1))).toEqual(swapped);
  });

  it('follow from signed shares, which name the liar', async () => {
    for (const requestId of keys.requests) {
      const report = await audit(cluster.governor, requestId);
      expect(report.failure).toBeUndefined();
      expect(report.items.every(({ recorded, replayed }) => recorded === replayed)).toBe(true);
      expect(report.openings).toBeGreaterThan(0);
    }
  });
});

describe('a switching key', () => {
  it('takes ciphertexts from A to B, with their rights and with the meter of A', async () => {
    const gateway = cluster.governor;
    const request = { epochId: cluster.epoch.epochId, set, label: labelOf('B') };
    const { keyId: keyB } = await requestKey(gateway, request);
    await waitForKey(gateway, keyB, { timeoutMs: 60_000 });
    const keyId = cluster.keyId;
    await expect(
      makeEvaluationKeys(gateway, { kind: 'switching', keyId, targetKeyId: keyB }),
    ).rejects.toMatchObject({ code: 'NOT_AUTHORISED' });
    await allowSwitching(gateway, { keyId, targetKeyId: keyB });
    const requestId = await makeEvaluationKeys(gateway, {
      ...{ kind: 'switching', keyId, targetKeyId: keyB },
    });
    const { parts } = await keyFileOf(gateway, keyB, { kind: 'switching', sourceKeyId: keyId });
    const galois = await gathered(parts);

    const original = await cluster.roundTrip.register({ slots: left });
    const { switched } = compute(set, { galois }, ({ evaluator, galois: keys, load }) => {
      const ciphertext = load(original.bytes);
      evaluator.applyGaloisInplace(ciphertext, 1, keys);
      return { switched: ciphertext };
    });
    const before = await meterOf(gateway, keyId);
    const { handle, owner } = await registerCiphertext(gateway, {
      ...{ keyId: keyB, bytes: switched, source: original.handle },
      noiseBits: productNoiseBits(set, cluster.epoch.committee, 0),
    });
    expect(owner).toBe(user.address);
    expect(await slotsOf(handle)).toEqual(left);
    const after = await meterOf(gateway, keyId);
    expect(after.commonSpent).toBe(before.commonSpent + 1n);
    expect((await audit(gateway, requestId)).failure).toBeUndefined();
  });
});

describe('decryption for one user', () => {
  it('gives numbers in one answer and slots in another, although one operator lies', async () => {
    await cluster.restart(3, { conduct: 'garbage' });
    const numbers = [31_415n, 0n, 92_653n];
    const handles: Hex[] = [];
    for (const scalar of numbers)
      handles.push((await cluster.roundTrip.register({ scalar })).handle);
    const everybody = [1, 2, 3, 4];
    const packed = await cluster.openedBy(everybody, () =>
      decryptForUser(cluster.roundTrip, handles),
    );
    expect(packed.plaintexts.map(({ coefficients }) => coefficients[0])).toEqual(numbers);

    const { handle } = await cluster.roundTrip.register({ slots: right });
    const full = await cluster.openedBy(everybody, () =>
      decryptForUser(cluster.roundTrip, [handle], { packed: false }),
    );
    expect(full.plaintexts[0].slots).toEqual(right);

    for (const { requestId } of [packed, full]) {
      const faults = await cluster.namedFaults(requestId, 3);
      expect(faults).toEqual([expect.objectContaining({ index: 3, reportedBy: [1, 2, 4] })]);
      const report = await audit(cluster.governor, requestId);
      expect(report.failure).toBeUndefined();
    }
    await cluster.restart(3);
  });

  it('asked for again costs nothing on the meter and gives the same answer', async () => {
    const keys = createUserKeys(set);
    const { handle } = await cluster.roundTrip.register({ scalar: 7n });
    const units = async () => (await meterOf(cluster.governor, cluster.keyId)).commonSpent;
    const before = await units();
    const first = await decryptForUser(cluster.roundTrip, [handle], { keys });
    expect(await units()).toBe(before + 1n);
    const second = await decryptForUser(cluster.roundTrip, [handle], { keys });
    expect(await units()).toBe(before + 1n);
    expect(second.requestId).not.toBe(first.requestId);
    expect(second.plaintexts).toEqual(first.plaintexts);
    await decryptForUser(cluster.roundTrip, [handle]);
    expect(await units()).toBe(before + 2n);
  });
});
