import { concat, numberToHex } from 'viem';
import { expect, test } from 'vitest';

import { blobDigest } from '../../../sdk/index.ts';
import { waitForDecryption } from '../../../tasks/support/decryptions.ts';
import { ClientErrorCode } from '../../../tasks/support/errors.ts';
import { serializePlaintext } from '../../../workers/fhe/plaintext.ts';
import { fakeGateway, id, NOW, requestIdOf, SET, type FakeAnswer } from './fake-chain.ts';
import { fakeOperator } from './fake-operator.ts';

const NOBODY = 'http://127.0.0.1:1';
const word = (value: number) => numberToHex(value, { size: 8 });
const result = concat([word(42), word(7)]);

const answered: FakeAnswer = {
  state: 2,
  deadline: NOW + 60,
  handles: [id(5)],
  positions: [0, 3],
  recorded: result,
  logged: [result],
};

const read = (answer: Partial<FakeAnswer>, endpoint = NOBODY) => {
  const whole = { ...answered, ...answer };
  return waitForDecryption(fakeGateway(whole, endpoint), requestIdOf(whole), { timeoutMs: 0 });
};

test('a request that the endpoint makes something else of is refused', async () => {
  const gateway = fakeGateway({ ...answered, handles: [id(6)] }, NOBODY);
  await expect(
    waitForDecryption(gateway, requestIdOf(answered), { timeoutMs: 0 }),
  ).rejects.toMatchObject({ code: ClientErrorCode.RESULT_MISMATCH });
});

test('values are read in the order of ciphertexts and positions', async () => {
  const second = concat([word(1), word(2)]);
  const both = concat([result, second]);
  expect(await read({ handles: [id(5), id(6)], recorded: both, logged: [both] })).toMatchObject({
    plaintexts: [
      { handle: id(5), coefficients: [42n, 7n], slots: undefined },
      { handle: id(6), coefficients: [1n, 2n], slots: undefined },
    ],
    signers: [1, 2, 4],
  });
});

test('a result that is only in the logs is not believed', async () => {
  const invented = concat([word(666), word(666)]);
  await expect(read({ logged: [invented] })).rejects.toMatchObject({
    code: ClientErrorCode.RESULT_MISMATCH,
  });
  expect((await read({ logged: [invented, result] })).plaintexts[0]?.coefficients).toEqual([
    42n,
    7n,
  ]);
});

test('a result of another length than the request’s is refused', async () => {
  await expect(read({ recorded: word(42), logged: [word(42)] })).rejects.toMatchObject({
    code: ClientErrorCode.RESULT_MISMATCH,
  });
});

test('a full plaintext is the blob whose digest is on chain', async () => {
  const coefficients = new BigUint64Array(SET.degree);
  coefficients[0] = 42n;
  const blob = serializePlaintext(SET, coefficients);
  await using operator = await fakeOperator((request, response) => {
    const known = request.url === `/blobs/${blobDigest(blob).slice(2)}`;
    response.writeHead(known ? 200 : 404).end(blob);
  });
  const digest = blobDigest(blob);
  const full = { positions: [], recorded: digest, logged: [digest] };
  const { plaintexts } = await read(full, operator.endpoint);
  expect(plaintexts[0]?.coefficients).toEqual([...coefficients]);
  // A constant polynomial has the same value in every slot.
  expect(plaintexts[0]?.slots).toEqual(Array<bigint>(SET.degree).fill(42n));
});

test('a request past its deadline is given up, a pending one only for want of time', async () => {
  await expect(read({ state: 1, deadline: NOW - 1 })).rejects.toMatchObject({
    code: ClientErrorCode.REQUEST_EXPIRED,
  });
  await expect(read({ state: 1 })).rejects.toMatchObject({
    code: ClientErrorCode.TOO_FEW_OPERATORS,
    culprits: [1, 2, 3, 4],
  });
});
