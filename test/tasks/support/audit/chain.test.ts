import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex, hexToBytes, keccak256, toHex, type Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { blobDigest, SdkErrorCode } from '../../../../sdk/index.ts';
import { audit } from '../../../../tasks/support/audit/audit.ts';
import { AuditErrorCode } from '../../../../tasks/support/audit/errors.ts';
import { ClientErrorCode } from '../../../../tasks/support/errors.ts';
import { FheErrorCode } from '../../../../workers/fhe/errors.ts';
import { parameterSets } from '../../../../workers/ring/parameters.ts';
import { parameterSetId } from '../../../../workers/sharing/ids.ts';
import { operatorAccount } from '../../../contracts/support/gateway.ts';
import { SET, World, type Meddle, type Worked } from './world.ts';

let world: World;
let keyId: Hex;
let handle: Hex;
/** Worked out by the committee, not recorded yet. */
let worked: Worked;

beforeAll(async () => {
  world = await World.create();
  keyId = await world.key('first');
  handle = await world.ciphertext(keyId, { scalar: 42n });
  worked = await world.decryptPublicly(keyId, [handle], [0]);
});

afterEach(() => {
  world.operators.tampering = {};
});

afterAll(() => world[Symbol.asyncDispose]());

/** Lets something happen on chain, looks at it, and takes the chain back to where it was. */
async function onFork<T>(happen: () => Promise<unknown>, look: () => Promise<T>): Promise<T> {
  const before = await world.chain.networkHelpers.takeSnapshot();
  await happen();
  try {
    return await look();
  } finally {
    await before.restore();
  }
}

/** The bytes with the last bit of the last one flipped. */
function changed(hex: Hex): Hex {
  const bytes = hexToBytes(hex);
  bytes[bytes.length - 1] ^= 1;
  return bytesToHex(bytes);
}

/** An operator's signer as an endpoint writes it. */
const signer = (index: number) => operatorAccount(index).address.toLowerCase() as Hex;

/** Puts other digits in the place of some in everything that an endpoint answers. */
const replacing =
  (from: Hex, to: Hex, only: (method: string) => boolean = () => true): Meddle =>
  async (method, forward) => {
    const answer = await forward();
    if (answer === undefined || !only(method)) return answer;
    return JSON.parse(JSON.stringify(answer).replaceAll(from.slice(2), to.slice(2))) as unknown;
  };

describe('the recorded result', () => {
  test('is confirmed on one fork, and another one of a quorum on another fork is not', async () => {
    const { requestId, result } = worked;
    const right = await onFork(
      () => world.respond(worked),
      () => audit(world.gateway, requestId),
    );
    expect(right.failure).toBe(undefined);
    const wrong = await onFork(
      () => world.respond({ requestId, result: changed(result) }),
      () => audit(world.gateway, requestId),
    );
    expect(wrong.failure).toMatchObject({
      code: AuditErrorCode.RESULT_DIFFERS,
      // Their own signatures say so.
      culprits: [1, 2, 3],
    });
    expect(wrong.items).toMatchObject([{ recorded: changed(result), replayed: result }]);
  });

  test('that an endpoint makes up has nobody’s signatures', async () => {
    const { requestId, result } = worked;
    const isOfResult = (method: string) => method !== 'eth_getTransactionByHash';
    await onFork(
      () => world.respond(worked),
      async () => {
        // The contract's hash of the result would give it away: the endpoint has to lie there, too.
        const lie = changed(result);
        const inLogs = replacing(result, lie, isOfResult);
        await expect(audit(await world.through(inLogs), requestId)).rejects.toMatchObject({
          code: ClientErrorCode.RESULT_MISMATCH,
        });
        const yes = `0x${'1'.padStart(64, '0')}`;
        const everywhere: Meddle = async (method, forward, params) => {
          const answer = await inLogs(method, forward, params);
          const isNo = method === 'eth_call' && answer === `0x${'0'.repeat(64)}`;
          return isNo ? yes : answer;
        };
        await expect(audit(await world.through(everywhere), requestId)).rejects.toMatchObject({
          code: AuditErrorCode.RESULT_UNSIGNED,
        });
      },
    );
  });

  test('whose transaction the endpoint has forgotten is confirmed without its signatures', async () => {
    await onFork(
      () => world.respond(worked),
      async () => {
        const forgetful: Meddle = async (method, forward) =>
          method === 'eth_getTransactionByHash' ? null : forward();
        const gateway = await world.through(forgetful);
        expect(await audit(gateway, worked.requestId)).toMatchObject({
          ...{ failure: undefined, areSignaturesChecked: false, signers: [1, 2, 3] },
        });
      },
    );
  });

  test('may not be there yet', async () => {
    await expect(audit(world.gateway, worked.requestId)).rejects.toMatchObject({
      code: AuditErrorCode.NOTHING_RECORDED,
    });
  });

  test('is of a request that exists', async () => {
    await expect(audit(world.gateway, keccak256(toHex('nothing')))).rejects.toMatchObject({
      code: ClientErrorCode.UNKNOWN_ID,
    });
  });
});

describe('what an endpoint says of an id has to have that id', () => {
  const elsewhere = keccak256(toHex('elsewhere'));
  const [otherSet] = parameterSets.filter((set) => set !== SET);

  test.each([
    ['a handle of the request', 'eth_getLogs', () => handle],
    ['the key of the request', 'eth_getLogs', () => keyId],
    ['the epoch of the request', 'eth_getLogs', () => world.simulation.session.epochId],
    [
      'the parameters of the key',
      'eth_getLogs',
      () => parameterSetId(SET),
      parameterSetId(otherSet),
    ],
    ['a signer', 'eth_call', () => signer(3), signer(4)],
    ['the set-up', 'eth_call', () => world.simulation.session.setupDigest],
    ['the digest of a ciphertext', 'eth_call', () => blobDigest(world.bytesOf(handle))],
  ])('%s, by %s', async (_, asked, from, to = elsewhere) => {
    await onFork(
      () => world.respond(worked),
      async () => {
        const lie = await world.through(replacing(from(), to, (method) => method === asked));
        await expect(audit(lie, worked.requestId)).rejects.toMatchObject({
          code: AuditErrorCode.CONTENT_MISMATCH,
        });
      },
    );
  });
});

describe('inputs', () => {
  const answered = <T>(look: () => Promise<T>): Promise<T> =>
    onFork(() => world.respond(worked), look);

  test('that are not what the digest says are not taken', async () => {
    world.operators.tampering = { blob: (bytes) => bytes.with(200, bytes[200] ^ 1) };
    const { failure, items } = await answered(() => audit(world.gateway, worked.requestId));
    expect(failure?.code).toBe(SdkErrorCode.BLOB_UNAVAILABLE);
    expect(items[0].replayed).toBe(undefined);
  });

  test('may come from a folder when operators have lost them', async () => {
    const blobs = await mkdtemp(join(tmpdir(), 'keyloom-audit-'));
    try {
      await writeFile(join(blobs, 'any name'), world.bytesOf(handle));
      await writeFile(join(blobs, 'something else'), 'x');
      world.operators.tampering = { blob: () => new Uint8Array() };
      const { failure } = await answered(() => audit(world.gateway, worked.requestId, { blobs }));
      expect(failure).toBe(undefined);
    } finally {
      await rm(blobs, { recursive: true });
    }
  });

  test('need a folder that is there', async () => {
    const blobs = join(tmpdir(), 'keyloom-audit-none');
    await expect(
      answered(() => audit(world.gateway, worked.requestId, { blobs })),
    ).rejects.toMatchObject({ code: ClientErrorCode.INVALID_ARGUMENT });
  });

  test('that no honest operator would have worked on confirm nothing', async () => {
    const bytes = world.bytesOf(handle);
    const malformed = await world.register(keyId, bytes.with(0, bytes[0] ^ 1));
    const requestId = await world.requestPublic([malformed], [0]);
    await world.respond({ requestId, result: worked.result });
    const { failure } = await audit(world.gateway, requestId);
    expect(failure).toMatchObject({
      code: AuditErrorCode.INPUT_REFUSED,
      metadata: { code: FheErrorCode.HEADER_INVALID },
    });
  });
});
