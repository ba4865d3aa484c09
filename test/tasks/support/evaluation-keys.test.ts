import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zeroHash, type Hex } from 'viem';

import { SdkErrorCode } from '../../../sdk/index.ts';
import { epochOf, membersOf } from '../../../tasks/support/epochs.ts';
import { ClientErrorCode } from '../../../tasks/support/errors.ts';
import {
  allowSwitching,
  evaluationKeysOf,
  listEvaluationKeys,
  recordedKeys,
  requestEvaluationKeys,
  sourcesOf,
  waitForEvaluationKeys,
} from '../../../tasks/support/evaluation-keys.ts';
import type { Gateway } from '../../../tasks/support/gateway.ts';
import { keyFileOf, writeKeyFile, type KeyFileContent } from '../../../tasks/support/key-files.ts';
import { addParameterSet } from '../../../tasks/support/parameters.ts';
import { sealContext } from '../../../workers/fhe/context.ts';
import { entryLength } from '../../../workers/fhe/evaluation-keys.ts';
import { FheErrorCode } from '../../../workers/fhe/errors.ts';
import { galoisElements } from '../../../workers/fhe/galois-elements.ts';
import { savedBytes, seal, withSeal } from '../../../workers/fhe/seal.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { fakeOperator } from './fake-operator.ts';
import { realGateway, SET, type RealGateway } from './real-gateway.ts';

const waiting = { timeoutMs: 0 };
/** Bytes of a SEAL key file in front of its entries. */
const PREFIX = 56;

let real: RealGateway;
let governor: Gateway;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyloom-key-files-'));
  real = await realGateway();
  governor = await real.as('governor');
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await real?.[Symbol.asyncDispose]();
});

/** Key files of SEAL's own for some secret of its own. */
function sealFiles(steps: readonly number[]) {
  return withSeal((own) => {
    const generator = own(new seal.KeyGenerator(sealContext(SET).handle));
    return {
      relinearization: savedBytes(own(generator.createRelinKeys())),
      galois: savedBytes(own(generator.createGaloisKeysWithSteps(Int32Array.from(steps)))),
    };
  });
}

/** The entries of a GaloisKeys file, in the order of the elements. */
function entriesIn(galois: Uint8Array, elements: readonly number[]): Uint8Array[] {
  let offset = PREFIX;
  let place = 0;
  return elements.map((element) => {
    offset += 8 * ((element - 1) / 2 - place);
    place = (element - 1) / 2 + 1;
    const entry = galois.slice(offset, offset + entryLength(SET));
    offset += entry.length;
    return entry;
  });
}

/** A recorded result that nobody signed. */
const invented = { args: { digests: `0x${'66'.repeat(32)}`, signerBitmap: 7n } };

/** The gateway through an endpoint that puts a log before the honest ones, or in their place. */
function withLogs(gateway: Gateway, log: unknown, where: 'before' | 'instead'): Gateway {
  const getContractEvents = async (query: { eventName: string }) => {
    const logs = await gateway.client.getContractEvents(query as never);
    if (query.eventName !== 'EvaluationKeysRecorded') return logs;
    return where === 'before' ? [log, ...logs] : [log];
  };
  const client = { ...gateway.client, getContractEvents } as unknown as Gateway['client'];
  return { ...gateway, client };
}

async function downloaded(keyId: Hex, content: KeyFileContent): Promise<Uint8Array> {
  const path = join(folder, 'file');
  const file = await keyFileOf(governor, keyId, content);
  let told = 0;
  await writeKeyFile(path, file, (bytes) => (told = bytes));
  const bytes = new Uint8Array(readFileSync(path));
  expect([bytes.length, told]).toEqual([file.length, file.length]);
  return bytes;
}

describe('relinearization and Galois keys', () => {
  const steps = [1, -1, 0];
  const elements = galoisElements(SET.degree, steps);
  const files = sealFiles(steps);
  let keyId: Hex;

  beforeAll(async () => {
    ({ keyId } = await real.makeKey('relin and galois'));
  });

  test('asked for twice is one request, and what is recorded comes back as SEAL wrote it', async () => {
    const wanted = { kind: 'relinearization', keyId } as const;
    const { requestId, requested } = await requestEvaluationKeys(governor, wanted);
    expect(requested).toBe(true);
    expect(await requestEvaluationKeys(governor, wanted)).toEqual({ requestId, requested: false });
    expect(await evaluationKeysOf(governor, requestId)).toMatchObject({
      ...{ kind: 'relinearization', state: 'Pending', keyId, elements: [] },
      targetKeyId: undefined,
    });
    const content = { kind: 'relinearization' } as const;
    await expect(keyFileOf(governor, keyId, content)).rejects.toMatchObject({
      code: ClientErrorCode.EVALUATION_KEYS_MISSING,
    });
    const [digest] = await real.recordEntries(requestId, [files.relinearization.slice(PREFIX)]);
    expect(await waitForEvaluationKeys(governor, requestId, waiting)).toMatchObject({
      ...{ state: 'Recorded', entries: [{ element: 0, digest }] },
    });
    expect(await requestEvaluationKeys(governor, wanted)).toEqual({ requestId, requested: false });
    expect(await downloaded(keyId, content)).toEqual(files.relinearization);
  });

  test('Galois keys of several requests make one file', async () => {
    const entries = entriesIn(files.galois, elements);
    const parts = [
      { elements: [elements[1]], entries: [entries[1]] },
      { elements, entries },
    ];
    for (const part of parts) {
      const wanted = { kind: 'galois', keyId, elements: part.elements } as const;
      const { requestId } = await requestEvaluationKeys(governor, wanted);
      await real.recordEntries(requestId, part.entries);
    }
    expect(await downloaded(keyId, { kind: 'galois' })).toEqual(files.galois);
    expect(await downloaded(keyId, { kind: 'galois', steps })).toEqual(files.galois);
    const some = await keyFileOf(governor, keyId, { kind: 'galois', steps: [0] });
    expect(some.entries.map(({ element }) => element)).toEqual([2 * SET.degree - 1]);
    expect(await listEvaluationKeys(governor, keyId)).toHaveLength(3);
  });

  test('an operator that fails at one entry is not asked first for the next one', async () => {
    let asked = 0;
    await using liar = await fakeOperator((_, response) => {
      asked++;
      response.writeHead(404).end();
    });
    const [{ endpoint }] = await membersOf(governor, await epochOf(governor, real.epochId));
    await real.moveOperator(1, liar.endpoint);
    expect(await downloaded(keyId, { kind: 'galois' })).toEqual(files.galois);
    expect(asked).toBe(1);
    await real.moveOperator(1, endpoint);
  });

  test('rotations that are not there, or not at all', async () => {
    await expect(keyFileOf(governor, keyId, { kind: 'galois', steps: [2] })).rejects.toMatchObject({
      code: ClientErrorCode.EVALUATION_KEYS_MISSING,
    });
    await expect(
      keyFileOf(governor, keyId, { kind: 'galois', steps: [SET.degree / 2] }),
    ).rejects.toMatchObject({ code: FheErrorCode.GALOIS_STEP_INVALID });
  });

  test('an entry of other bytes leaves no file', async () => {
    const { entries } = await keyFileOf(governor, keyId, { kind: 'relinearization' });
    const { digest } = entries[0];
    const honest = real.blobs.get(digest)!;
    real.blobs.set(digest, honest.with(1000, honest[1000] ^ 1));
    const path = join(folder, 'forged');
    const file = await keyFileOf(governor, keyId, { kind: 'relinearization' }, { patienceMs: 0 });
    await expect(writeKeyFile(path, file, () => undefined)).rejects.toMatchObject({
      code: SdkErrorCode.BLOB_UNAVAILABLE,
    });
    expect(readdirSync(folder).filter((name) => name.startsWith('forged'))).toEqual([]);
    real.blobs.set(digest, honest);
  });

  test('digests that are only in the logs are not believed', async () => {
    const request = (await listEvaluationKeys(governor, keyId)).find(
      ({ kind }) => kind === 'galois',
    )!;
    const honest = await recordedKeys(governor, request);
    expect(await recordedKeys(withLogs(governor, invented, 'before'), request)).toEqual(honest);
    await expect(
      recordedKeys(withLogs(governor, invented, 'instead'), request),
    ).rejects.toMatchObject({ code: ClientErrorCode.RESULT_MISMATCH });
  });

  test('a stranger may not ask', async () => {
    const stranger = await real.as('outsider');
    await expect(
      requestEvaluationKeys(stranger, { kind: 'galois', keyId, elements: [3] }),
    ).rejects.toMatchObject({ code: ClientErrorCode.NOT_AUTHORISED });
  });

  test('an unknown request', async () => {
    await expect(evaluationKeysOf(governor, zeroHash)).rejects.toMatchObject({
      code: ClientErrorCode.UNKNOWN_ID,
    });
  });
});

describe('switching keys', () => {
  const other = parameterSet('bfv-8192-b20');
  let from: Hex;
  let to: Hex;

  beforeAll(async () => {
    await addParameterSet(governor, other);
    ({ keyId: from } = await real.makeKey('from'));
    ({ keyId: to } = await real.makeKey('to'));
  });

  const request = (keyId: Hex, targetKeyId: Hex, by = governor) =>
    requestEvaluationKeys(by, { kind: 'switching', keyId, targetKeyId });

  test('need the consent of the source’s owner, who must own it', async () => {
    await expect(request(from, to)).rejects.toMatchObject({
      code: ClientErrorCode.NOT_AUTHORISED,
    });
    await expect(
      allowSwitching(await real.as('outsider'), { keyId: from, targetKeyId: to }),
    ).rejects.toMatchObject({ code: ClientErrorCode.NOT_AUTHORISED });
    await allowSwitching(governor, { keyId: from, targetKeyId: to });
    await expect(request(from, to, await real.as('outsider'))).rejects.toMatchObject({
      code: ClientErrorCode.NOT_AUTHORISED,
    });
    const { requestId } = await request(from, to);
    expect(await sourcesOf(governor, to)).toEqual([from]);
    const { galois } = sealFiles([0]);
    const [entry] = entriesIn(galois, [2 * SET.degree - 1]);
    await real.recordEntries(requestId, [entry]);
    const file = await downloaded(to, { kind: 'switching', sourceKeyId: from });
    // SEAL has no switching keys: ours is a Galois key of element 1.
    expect(file.slice(PREFIX, PREFIX + entry.length)).toEqual(entry);
  });

  test('are refused between keys that do not fit', async () => {
    const { keyId: larger } = await real.makeKey('larger', { set: other });
    const epochId = await real.epochOfFour('second');
    const { keyId: elsewhere } = await real.makeKey('elsewhere', { epochId });
    const { keyId: third } = await real.makeKey('third');
    await allowSwitching(governor, { keyId: to, targetKeyId: third });
    const refused = { code: ClientErrorCode.SWITCHING_REFUSED };
    await expect(request(from, from)).rejects.toMatchObject(refused);
    await expect(request(from, larger)).rejects.toMatchObject(refused);
    await expect(request(from, elsewhere)).rejects.toMatchObject(refused);
    await expect(request(to, third)).rejects.toMatchObject(refused);
  });
});

test('a key has no more than its share of requests and rotations', async () => {
  const { keyId } = await real.makeKey('greedy');
  const ask = (first: number, count = 64) => {
    const elements = Array.from({ length: count }, (_, i) => first + 2 * i);
    return requestEvaluationKeys(governor, { kind: 'galois', keyId, elements });
  };
  for (const first of [3, 5, 7, 9]) await ask(first);
  await expect(
    requestEvaluationKeys(governor, { kind: 'relinearization', keyId }),
  ).rejects.toMatchObject({
    code: ClientErrorCode.EVALUATION_KEYS_PENDING,
    metadata: { keyId },
  });
  await real.chain.networkHelpers.time.increase(7 * 86_400);
  await real.chain.networkHelpers.mine();
  await expect(ask(11, 1)).rejects.toMatchObject({
    code: ClientErrorCode.EVALUATION_KEYS_SPENT,
    metadata: { keyId },
  });
  expect(await ask(3)).toMatchObject({ requested: true });
});

test('a request that nobody answered in time is asked for again under its id', async () => {
  const { keyId } = await real.makeKey('slow');
  const wanted = { kind: 'relinearization', keyId } as const;
  const { requestId } = await requestEvaluationKeys(governor, wanted);
  await real.chain.networkHelpers.time.increase(7 * 86_400);
  await real.chain.networkHelpers.mine();
  await expect(waitForEvaluationKeys(governor, requestId, waiting)).rejects.toMatchObject({
    code: ClientErrorCode.REQUEST_EXPIRED,
  });
  expect(await requestEvaluationKeys(governor, wanted)).toEqual({ requestId, requested: true });
});
