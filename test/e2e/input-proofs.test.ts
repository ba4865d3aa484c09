import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { concat, sha256, type Address, type Hex } from 'viem';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { governor, user } from '../../devnet/accounts.ts';
import { requestPublicDecryption, waitForDecryption } from '../../tasks/support/decryptions.ts';
import { ClientErrorCode } from '../../tasks/support/errors.ts';
import { send } from '../../tasks/support/transactions.ts';
import { ciphertextRegistryAbi } from '../../workers/chain/abi.ts';
import { serializeProgram } from '../../workers/computations/format.ts';
import { parseCiphertext, serializeCiphertext } from '../../workers/fhe/ciphertext.ts';
import { encodeValues } from '../../workers/fhe/client.ts';
import type { SignedRegistration } from '../../workers/operator/registration/registrations.ts';
import { encryptForProof } from '../../workers/proofs/encryption.ts';
import { encryptionKey } from '../../workers/proofs/key.ts';
import { prove } from '../../workers/proofs/lattice/prove.ts';
import { numberOfOrigin } from '../../workers/proofs/origins.ts';
import { add } from '../../workers/ring/arithmetic.ts';
import { basisOf } from '../../workers/ring/basis.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { bodyOf } from '../workers/operator/registration/posting.ts';
import type { Posted } from '../workers/operator/registration/at-the-door.ts';
import { Cluster } from './cluster.ts';

// People without any role register ciphertexts by proof, over plain HTTP, and have them decrypted.

/** A lattice proof leaves enough room under this one. */
const set = parameterSet('insecure-bfv-1024-b17');

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4, { set });
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

/** An encryption of a number with its proof. */
async function encrypted(scalar: bigint, owner: Address = user.address): Promise<Posted> {
  const { governor: gateway, keyId, roundTrip } = cluster;
  const key = await encryptionKey(set, roundTrip.publicKey);
  const { registered, witness } = encryptForProof(key, encodeValues(set, { scalar }));
  const { chainId, addresses } = gateway;
  const contract = addresses.ciphertextRegistry;
  const context = { chainId: BigInt(chainId), contract, user: owner };
  const proof = await prove({ key, registered, context }, witness);
  return { header: { keyId, owner, origin: 'lattice' }, ciphertext: registered, proof };
}

function summed(inputs: Hex[]): Posted {
  const steps = [{ operation: 'add', left: 0, right: 1 }] as const;
  return {
    header: { keyId: cluster.keyId, owner: user.address, origin: 'computed' },
    ciphertext: new Uint8Array(),
    proof: serializeProgram({ inputs: inputs.sort(), steps }),
  };
}

async function ask(index: number, posted: Posted): Promise<[number, unknown]> {
  const { endpoint } = cluster.operator(index);
  const body = bodyOf(posted.header, posted.ciphertext, posted.proof);
  const answer = await fetch(`${endpoint}/registrations`, { method: 'POST', body });
  return [answer.status, await answer.json()];
}

/** The signatures of these operators, as they are sent to the contract. */
async function signedBy(
  indices: readonly number[],
  posted: Posted,
): Promise<SignedRegistration & { signatures: Hex; signerBitmap: bigint }> {
  const answers = await Promise.all(
    indices.map(async (index) => {
      const [status, answer] = await ask(index, posted);
      expect([index, status, answer]).toEqual([index, 200, expect.anything()]);
      return answer as SignedRegistration;
    }),
  );
  return {
    ...answers[0],
    signatures: concat(answers.map(({ signature }) => signature)),
    signerBitmap: indices.reduce((bitmap, index) => bitmap | (1n << BigInt(index - 1)), 0n),
  };
}

/** Sends a registration. Anybody may: here it is somebody else than the owner. */
async function register(
  posted: Posted,
  signed: Awaited<ReturnType<typeof signedBy>>,
): Promise<void> {
  const { digest, limbs, noiseBits, inputs, signerBitmap, signatures } = signed;
  const { keyId, owner, origin } = posted.header;
  // Anybody; what is computed only its owner.
  const gateway = await cluster.devnet.as(origin === 'computed' ? user : governor);
  const proven = {
    ...{ keyId, digest, owner, limbs, noiseBits, inputs },
    ...{ origin: numberOfOrigin(origin), proofDigest: sha256(posted.proof) },
  };
  await send(gateway, {
    address: gateway.addresses.ciphertextRegistry,
    abi: ciphertextRegistryAbi,
    functionName: 'registerProven',
    args: [proven, signerBitmap, signatures],
  });
}

async function decrypted(handle: Hex) {
  const gateway = await cluster.devnet.as(user);
  const requestId = await requestPublicDecryption(gateway, { handles: [handle], positions: [0] });
  const { plaintexts, signers } = await waitForDecryption(gateway, requestId, {
    ...{ timeoutMs: 120_000, pollMs: 50 },
  });
  return { value: plaintexts[0].coefficients?.[0], signers };
}

const refused = [400, expect.objectContaining({ code: 'PROOF_REFUSED' })];

describe('a ciphertext with a proof', () => {
  const handles: Hex[] = [];
  let posted: Posted;
  let signed: Awaited<ReturnType<typeof signedBy>>;

  it('is registered without a role and decrypted', async () => {
    posted = await encrypted(31_415n);
    signed = await signedBy([1, 2, 3], posted);
    await register(posted, signed);
    handles.push(signed.handle);
    expect((await decrypted(signed.handle)).value).toBe(31_415n);
  });

  it('is of no use to anybody else', async () => {
    const header = { ...posted.header, owner: governor.address };
    for (const index of [1, 2, 3, 4])
      expect(await ask(index, { ...posted, header })).toEqual(refused);
    // Nor are the signatures.
    await expect(register({ ...posted, header }, signed)).rejects.toMatchObject({
      code: ClientErrorCode.REVERTED,
    });
  });

  it('says nothing of twice the ciphertext, nor of other bytes', async () => {
    const { limbs, c0, c1 } = parseCiphertext(set, posted.ciphertext);
    const basis = basisOf(set, limbs);
    const twice = { limbs, c0: add(basis, c0, c0), c1: add(basis, c1, c1) };
    const doubled = { ...posted, ciphertext: serializeCiphertext(set, twice) };
    expect(await ask(1, doubled)).toEqual(refused);
    const { ciphertext } = posted;
    const at = ciphertext.length - 1_000;
    const tampered = { ...posted, ciphertext: ciphertext.with(at, ciphertext[at] ^ 1) };
    expect(await ask(1, tampered)).toEqual(refused);
  });

  it('is verified by an operator that was given nothing, before its first share', async () => {
    const unseen = await encrypted(2_718n);
    const found = await signedBy([1, 2, 3], unseen);
    await register(unseen, found);
    handles.push(found.handle);
    const { endpoint } = cluster.operator(4);
    const held = await fetch(`${endpoint}/blobs/${found.digest.slice(2)}`, { method: 'HEAD' });
    expect(held.status).toBe(404);
    // Without it nothing can be decrypted now.
    await cluster.operator(1).kill();
    expect(await decrypted(found.handle)).toEqual({ value: 2_718n, signers: [2, 3, 4] });
    cluster.operator(1).start();
    await cluster.operator(1).waitHealthy();
    await cluster.operator(4).stop();
    expect(verdictsOf(4)).toContain(found.handle);
    cluster.operator(4).start();
    await cluster.operator(4).waitHealthy();
  });

  it('may be computed with: operators compute the result themselves', async () => {
    const program = summed(handles);
    const sum = await signedBy([1, 2, 4], program);
    expect(sum.inputs).toEqual([...handles].sort());
    await register(program, sum);
    expect((await decrypted(sum.handle)).value).toBe(31_415n + 2_718n);
  });
});

describe('a ciphertext without a proof', () => {
  it('is registered by nobody who has not the role', async () => {
    const gateway = await cluster.devnet.as(user);
    const { ciphertext } = await encrypted(1n);
    const vouched = send(gateway, {
      address: gateway.addresses.ciphertextRegistry,
      abi: ciphertextRegistryAbi,
      functionName: 'register',
      args: [cluster.keyId, sha256(ciphertext), 4, 12, user.address],
    });
    await expect(vouched).rejects.toMatchObject({ code: ClientErrorCode.NOT_AUTHORISED });
  });

  it('is signed for by no operator', async () => {
    const posted = await encrypted(1n);
    const header = { ...posted.header, origin: 'vouched' } as unknown as Posted['header'];
    expect(await ask(1, { ...posted, header })).toEqual([
      400,
      expect.objectContaining({ code: 'REGISTRATION_MALFORMED' }),
    ]);
  });
});

/** Handles of what a stopped operator has verified. */
function verdictsOf(index: number): Hex[] {
  const file = join(cluster.operator(index).folder, 'data', 'state.db');
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = database.prepare('SELECT handle FROM verdicts').all();
    return rows.map(({ handle }) => handle as Hex);
  } finally {
    database.close();
  }
}
