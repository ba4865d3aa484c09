import { createHash } from 'node:crypto';
import type { Hex, LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';

import { agreeOnRegistration, SdkErrorCode, type Registration } from '../../sdk/index.ts';
import { serializeRegistration } from '../../sdk/registrations.ts';
import type { Deployment } from '../../workers/chain/client.ts';
import { ciphertextHandle, registrationResult } from '../../workers/chain/ids.ts';
import { signStatement } from '../../workers/chain/typed-data.ts';
import { parseRegistration } from '../../workers/operator/registration/body.ts';
import { fakeOperator, type Answer } from '../tasks/support/fake-operator.ts';

const word = (text: string): Hex => `0x${createHash('sha256').update(text).digest('hex')}`;
const address = (digit: number): Hex => `0x${digit.toString(16).repeat(40)}`;
const accounts = [1, 2, 3, 4].map((i) => privateKeyToAccount(word(`signer ${i}`)));
const epochId = word('epoch');
const deployment: Deployment = {
  chainId: 10n,
  addresses: {
    ...{ decryptionGateway: address(1), epochManager: address(2), keyManager: address(3) },
    ...{ evaluationKeyManager: address(4), ciphertextRegistry: address(5) },
    ...{ crsManager: address(6), operatorRegistry: address(7) },
  },
};
const registration: Registration = {
  keyId: word('key'),
  owner: '0x00000000000000000000000000000000000000b0',
  origin: 'lattice',
  ciphertext: new Uint8Array(1000).fill(7),
  proof: new Uint8Array(300).fill(8),
};
const digestOf = (bytes: Uint8Array): Hex =>
  `0x${createHash('sha256').update(bytes).digest('hex')}`;
const digest = digestOf(registration.ciphertext);
const proofDigest = digestOf(registration.proof);
const handle = ciphertextHandle(deployment, { ...registration, digest, proofDigest });
const found = { limbs: 3, noiseBits: 51, inputs: [] as Hex[] };

/** What an honest operator answers, but for what is said otherwise. */
async function honest(
  account: LocalAccount,
  {
    as = found,
    of = handle,
    ...rest
  }: { as?: typeof found; of?: Hex; [field: string]: unknown } = {},
): Promise<object> {
  const message = { epochId, requestId: of, result: registrationResult(as) };
  const statement = { type: 'Result', contract: 'ciphertextRegistry', message } as const;
  const signature = await signStatement(account, deployment, statement);
  return { handle: of, digest, ...as, signer: account.address, signature, ...rest };
}

const json =
  (status: number, document: object): Answer =>
  (_, response) => {
    response.writeHead(status).end(JSON.stringify(document));
  };

let open: AsyncDisposable[] = [];
afterEach(async () => {
  await Promise.all(open.map((one) => one[Symbol.asyncDispose]()));
  open = [];
});

/** A committee of four with these answers. */
async function committeeOf(...answers: Answer[]) {
  const operators = await Promise.all(answers.map(fakeOperator));
  open.push(...operators);
  const members = operators.map(({ endpoint }, at) => ({
    ...{ index: at + 1, endpoint, signer: accounts[at].address },
  }));
  return { epochId, members, needed: 3 };
}

const agree = (committee: Awaited<ReturnType<typeof committeeOf>>, options = {}) =>
  agreeOnRegistration(deployment, committee, registration, { pauseMs: 1, ...options });

const silent: Answer = () => undefined;
let honestAnswers: Answer[];
beforeAll(async () => {
  const documents = await Promise.all(accounts.map((account) => honest(account)));
  honestAnswers = documents.map((document) => json(200, document));
});

test('a body is what operators parse', () => {
  expect(parseRegistration(serializeRegistration(registration))).toEqual({
    ...registration,
    owner: '0x00000000000000000000000000000000000000B0',
  });
  const computed = { ...registration, origin: 'computed', ciphertext: new Uint8Array() } as const;
  expect(parseRegistration(serializeRegistration(computed)).origin).toBe('computed');
});

describe('a committee', () => {
  test('agrees once 2t+1 have signed, whatever the others do', async () => {
    const bodies: Buffer[] = [];
    const [first, , third, fourth] = honestAnswers;
    const listening: Answer = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks));
        first(request, response);
      });
    };
    const committee = await committeeOf(listening, silent, third, fourth);
    const agreed = await agree(committee);
    expect(agreed).toMatchObject({
      handle,
      proven: { ...found, digest, proofDigest, origin: 1, owner: registration.owner },
      signerBitmap: 0b1101n,
      heldBy: [0, 2, 3].map((at) => committee.members[at].endpoint),
    });
    const signatures = await Promise.all(
      [0, 2, 3].map(async (at) => ((await honest(accounts[at])) as { signature: Hex }).signature),
    );
    expect(agreed.signatures).toBe(`0x${signatures.map((one) => one.slice(2)).join('')}`);
    expect(bodies).toEqual([Buffer.from(serializeRegistration(registration))]);
  });

  test('is asked again where it is busy', async () => {
    let asked = 0;
    const busy: Answer = (request, response) =>
      ++asked < 3
        ? json(503, { code: 'OPERATOR_BUSY', message: 'later' })(request, response)
        : honestAnswers[1](request, response);
    const [first, , third] = honestAnswers;
    const agreed = await agree(await committeeOf(first, busy, third, silent));
    expect(agreed.signerBitmap).toBe(0b0111n);
    expect(asked).toBe(3);
  });

  test('refuses with the reasons of those who do', async () => {
    const refusing = json(400, { code: 'PROOF_REFUSED', message: 'not a proof' });
    await expect(
      agree(await committeeOf(honestAnswers[0], refusing, refusing, silent)),
    ).rejects.toMatchObject({
      code: SdkErrorCode.REGISTRATION_REFUSED,
      message: expect.stringMatching(/PROOF_REFUSED.*PROOF_REFUSED/) as string,
      metadata: { needed: 3 },
    });
  });

  test('is not waited for when it stays busy', async () => {
    const busy = json(429, { code: 'TOO_MANY_REQUESTS', message: 'later' });
    const committee = await committeeOf(honestAnswers[0], honestAnswers[1], busy, busy);
    await expect(agree(committee, { patienceMs: 20 })).rejects.toMatchObject({
      code: SdkErrorCode.REGISTRATION_REFUSED,
    });
  });

  test('does not agree by two who say less noise, or another level', async () => {
    const less = await Promise.all(
      [2, 3].map((at) => honest(accounts[at], { as: { ...found, noiseBits: 50 } })),
    );
    const [first, second] = honestAnswers;
    const committee = await committeeOf(first, second, ...less.map((one) => json(200, one)));
    await expect(agree(committee)).rejects.toMatchObject({
      code: SdkErrorCode.REGISTRATION_REFUSED,
      metadata: { agreed: 2, needed: 3 },
    });
  });

  test('cannot sign for another ciphertext, not even all of it', async () => {
    const other = { ...registration, digest: word('other'), proofDigest };
    const of = ciphertextHandle(deployment, other);
    const answers = await Promise.all(
      accounts.map(async (account) =>
        json(200, await honest(account, { of, digest: other.digest })),
      ),
    );
    await expect(agree(await committeeOf(...answers))).rejects.toMatchObject({
      code: SdkErrorCode.REGISTRATION_REFUSED,
      metadata: { agreed: 0, needed: 3 },
    });
  });

  test('stops when the caller does', async () => {
    const stop = new AbortController();
    const stopping: Answer = () => stop.abort(new TypeError('enough'));
    const committee = await committeeOf(stopping, silent, silent, silent);
    await expect(agree(committee, { signal: stop.signal })).rejects.toThrow('enough');
  });
});

describe('an answer does not count', () => {
  const cases: [string, () => Promise<object>][] = [
    ['signed by another operator', () => honest(accounts[0])],
    ['signed for another handle', () => honest(accounts[1], { of: word('other') })],
    ['with the signature of something else', () => honest(accounts[1], { noiseBits: 50 })],
    ['for another ciphertext', () => honest(accounts[1], { digest: word('other') })],
    ['without a signature', () => honest(accounts[1], { signature: undefined })],
    ['with half a signature', () => honest(accounts[1], { signature: '0x1234' })],
    ['with inputs that are none', () => honest(accounts[1], { inputs: ['0x12'] })],
    ['with a level that is none', () => honest(accounts[1], { limbs: 3.5 })],
    ['that is no object', () => Promise.resolve([])],
  ];
  test.each(cases)('%s', async (_, make) => {
    const [first, , third] = honestAnswers;
    const gone = json(500, { code: 'INTERNAL', message: 'internal error' });
    const committee = await committeeOf(first, json(200, await make()), third, gone);
    await expect(agree(committee)).rejects.toMatchObject({
      code: SdkErrorCode.REGISTRATION_REFUSED,
      metadata: { agreed: 2, needed: 3 },
    });
  });
});
