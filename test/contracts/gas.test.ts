import {
  concatHex,
  keccak256,
  parseEventLogs,
  toHex,
  zeroAddress,
  zeroHash,
  type Hex,
  type LocalAccount,
  type TransactionReceipt,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { beforeAll, describe, expect, test } from 'vitest';

import { decryptionGatewayAbi, evaluationKeyManagerAbi } from '../../workers/chain/abi.ts';
import { defaultCaps } from '../../workers/chain/fees.ts';
import { ciphertextHandle, registrationResult } from '../../workers/chain/ids.ts';
import { permitTypedData } from '../../workers/chain/permit.ts';
import { signStatement } from '../../workers/chain/typed-data.ts';
import { numberOfOrigin, type ProvenOrigin } from '../../workers/proofs/origins.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { seededBytes } from '../workers/sharing/reference.ts';
import { activateEpoch } from './support/epoch.ts';
import { deal, openingOf, shareProof, signRoot, signShare } from './support/evidence.ts';
import { expectGas } from './support/gas.ts';
import {
  connectChain,
  deployGateway,
  firstMembers,
  operatorAccount,
  quorumOf,
  send,
  signaturesOf,
  type DeployedGateway,
  type LocalChain,
} from './support/gateway.ts';
import { activateKey, recordOf } from './support/keys.ts';

const snapshotFile = new URL('gas.json', import.meta.url);

/** A time to come, so that permits, their signatures and their gas are the same in every run. */
const startSeconds = 4_000_000_000n;

/**
 * Limits of request and response of a decryption together, in gas, fee and meter included, and of a key
 * from its request to its record.
 */
const cases = [
  { n: 4, limits: { scalar: 250_000, 'user decryption': 250_000, key: 400_000 } },
  { n: 13, limits: { scalar: 350_000, 'user decryption': 350_000, key: 550_000 } },
];

/** Limits of evidence, slashing included, in gas. */
const evidenceLimits = [
  { n: 4, limit: 250_000n },
  { n: 7, limit: 400_000n },
  { n: 10, limit: 550_000n },
  { n: 13, limit: 700_000n },
];
const shortEvidenceLimit = 150_000n;
/** Requests that are attested to, settled and expired in one transaction. */
const batches = [1, 10, 100];

/**
 * Gas of whole transactions, the L2's own part of the fee, compared with the committed gas.json.
 * UPDATE_GAS=1 writes it anew.
 */
describe('gas', () => {
  let chain: LocalChain;
  let gateway: DeployedGateway;
  const measured: Record<string, number> = {};
  const set = parameterSet('insecure-bfv-1024');
  const record = (name: string, gas: bigint) => {
    measured[name] = Number(gas);
  };

  beforeAll(async () => {
    chain = await connectChain();
    await chain.networkHelpers.time.increaseTo(startSeconds);
    gateway = await deployGateway(chain, { registrar: chain.governor.account.address });
    await gateway.keyManager.write.addParameterSet([recordOf(set)]);
  });

  test.each(cases)('operations with a committee of $n', async ({ n }) => {
    const epoch = await activateEpoch(chain, gateway, n, zeroHash);
    for (const [name, gas] of Object.entries(epoch.gas)) record(`n=${n} ${name}`, gas);

    const key = await activateKey(chain, gateway, { n, epochId: epoch.epochId, set });
    record(`n=${n} request key`, key.requestGas);
    record(`n=${n} record key`, key.recordGas);
    record(`n=${n} key in all`, key.requestGas + key.recordGas);
    const { keyId } = key;
    const first = await registerCiphertext(keyId, 'first');
    record(`n=${n} register ciphertext`, first.gas);
    const { handle } = first;
    const proven = await registerProven(n, epoch.epochId, keyId, 'lattice', []);
    record(`n=${n} register proven ciphertext`, proven.gas);
    const inputs = [handle, proven.handle];
    const computed = await registerProven(n, epoch.epochId, keyId, 'computed', inputs);
    record(`n=${n} register what was computed from 2`, computed.gas);
    const scalar = await decrypt(n, epoch.epochId, handle, [0]);
    record(`n=${n} request one scalar`, scalar.request);
    record(`n=${n} respond one scalar`, scalar.respond);

    const again = await decrypt(n, epoch.epochId, handle, [1]);
    record(`n=${n} request one scalar (unit spent before)`, again.request);

    const second = await registerCiphertext(keyId, 'second');
    const another = await decrypt(n, epoch.epochId, second.handle, [0]);
    record(`n=${n} request one scalar (another unit)`, another.request);
    record(`n=${n} scalar in all`, another.request + another.respond);

    const plaintext = await decrypt(n, epoch.epochId, handle, []);
    record(`n=${n} request all coefficients`, plaintext.request);
    record(`n=${n} respond all coefficients`, plaintext.respond);

    const forUser = await decryptForUser(n, epoch.epochId, handle);
    record(`n=${n} request user decryption`, forUser.request);
    record(`n=${n} respond user decryption`, forUser.respond);
    const anotherForUser = await decryptForUser(n, epoch.epochId, second.handle);
    record(`n=${n} request user decryption (another unit)`, anotherForUser.request);
    const { request, respond } = anotherForUser;
    record(`n=${n} user decryption in all`, request + respond);

    const target = await activateKey(chain, gateway, {
      ...{ n, epochId: epoch.epochId, set },
      label: toHex('target', { size: 32 }),
    });
    const pair = [keyId, target.keyId];
    const { evaluationKeyManager, decryptionGateway } = gateway;
    const allowed = await send(chain, undefined, evaluationKeyManager, 'allowSwitching', pair);
    record(`n=${n} allow switching`, allowed.gasUsed);
    const elements = Array.from({ length: 27 }, (_, i) => 2 * i + 3);
    for (const [name, functionName, entries, args] of [
      ['relinearization key', 'requestRelinearizationKey', 1, [keyId]],
      ['27 Galois keys', 'requestGaloisKeys', elements.length, [keyId, elements]],
      ['switching key', 'requestSwitchingKey', 1, pair],
    ] as const) {
      const made = await makeEvaluationKeys(n, epoch.epochId, functionName, args, entries);
      record(`n=${n} request ${name}`, made.request);
      record(`n=${n} record ${name}`, made.respond);
    }

    const switched = await registerSwitched(handle, target.keyId);
    record(`n=${n} register switched ciphertext`, switched.gas);
    const counted = await decrypt(n, epoch.epochId, switched.handle, [0]);
    record(`n=${n} request one scalar (one source)`, counted.request);
    const grant = [keyId, chain.outsider.account.address, 1000n];
    const granted = await send(chain, undefined, decryptionGateway, 'grantUnits', grant);
    record(`n=${n} grant units`, granted.gasUsed);

    await lookAfterFees(n, epoch.epochId, handle);
  });

  test.each(cases)('stays below its limits with a committee of $n', ({ n, limits }) => {
    for (const [name, limit] of Object.entries(limits))
      expect(measured[`n=${n} ${name} in all`], name).toBeLessThan(limit);
    // Operators send up to 128 at once, and give a quarter more gas than is estimated.
    for (const name of ['attest', 'settle', 'expire'])
      expect((measured[`n=${n} ${name} 1 of 100`] * 128 * 5) / 4).toBeLessThan(
        Number(defaultCaps.gas),
      );
  });

  test.each(evidenceLimits)('evidence in a committee of $n', async ({ n, limit }) => {
    // Nobody has been slashed here before, and nothing is owed to anybody.
    const own = await connectChain();
    const deployed = await deployGateway(own);
    const { slashingManager, deployment } = deployed;
    const realSet = parameterSet('bfv-8192-b20');
    await deployed.keyManager.write.addParameterSet([recordOf(realSet)]);
    const { epochId } = await activateEpoch(own, deployed, n, zeroHash);
    const { setupDigest } = await deployed.epochManager.read.epoch([epochId]);
    const beneficiary = own.outsider.account.address;
    const untouched = await own.networkHelpers.takeSnapshot();
    const prove = async (name: string, functionName: string, args: readonly unknown[]) => {
      const { gasUsed } = await send(own, undefined, slashingManager, functionName, args);
      await untouched.restore();
      record(`n=${n} prove ${name}`, gasUsed);
      return gasUsed;
    };

    // All primes and all coefficients: 40,960 residues.
    const shape = { limbs: realSet.primes.length, width: realSet.degree, polynomials: 1 };
    const opening = openingOf(realSet, setupDigest, shape);
    const shares = deal(opening, n, seededBytes('gas'));
    const position = 34_567;
    shares.get(1)![position] ^= 1n;
    const proofs = [];
    for (let i = 1; i <= quorumOf(n) + 1; i++) {
      const share = shares.get(i)!;
      const signature = await signShare(deployment, epochId, opening, i, share);
      proofs.push(shareProof(share, i, signature, position));
    }
    const [accused, ...accusers] = proofs;
    const wrongShare = [epochId, opening.preimage, position, accusers, accused, beneficiary];
    expect(await prove('wrong share', 'proveWrongShare', wrongShare)).toBeLessThan(limit);

    const roots = [];
    for (const root of ['a', 'b'].map((name) => keccak256(toHex(name)))) {
      roots.push({ root, signature: await signRoot(deployment, epochId, opening.id, 1, root) });
    }
    const equivocation = [epochId, opening.id, 1, ...roots, beneficiary];
    expect(await prove('equivocation', 'proveEquivocation', equivocation)).toBeLessThan(
      shortEvidenceLimit,
    );

    const { keyId } = await activateKey(own, deployed, { n, epochId, set: realSet });
    const result = keccak256(toHex('another key'));
    const signature = await signStatement(operatorAccount(1), deployment, {
      ...{ type: 'Result', contract: 'keyManager' },
      message: { epochId, requestId: keyId, result },
    });
    const source = deployed.keyManager.address;
    const wrongResult = [source, keyId, 1, keccak256(result), signature, beneficiary];
    expect(await prove('wrong result', 'proveWrongResult', wrongResult)).toBeLessThan(
      shortEvidenceLimit,
    );
  });

  test('is what gas.json says', async () => {
    await expectGas(snapshotFile, measured);
  });

  async function registerCiphertext(keyId: Hex, name: string) {
    const { ciphertextRegistry } = gateway;
    const owner = chain.governor.account.address;
    const args = [keyId, keccak256(toHex(name)), 3, 20, owner] as const;
    const { result: handle } = await ciphertextRegistry.simulate.register(args);
    const receipt = await send(chain, undefined, ciphertextRegistry, 'register', args);
    return { handle, gas: receipt.gasUsed };
  }

  async function registerProven(
    n: number,
    epochId: Hex,
    keyId: Hex,
    origin: ProvenOrigin,
    inputs: Hex[],
  ) {
    const { ciphertextRegistry, deployment } = gateway;
    const [digest, proofDigest] = [keccak256(toHex(origin)), keccak256(toHex(`${origin} proof`))];
    const identity = { keyId, digest, owner: chain.governor.account.address, origin, proofDigest };
    const handle = ciphertextHandle(deployment, identity);
    const found = { limbs: 3, noiseBits: 20, inputs };
    const message = { epochId, requestId: handle, result: registrationResult(found) };
    const statement = { type: 'Result', contract: 'ciphertextRegistry', message } as const;
    const signatures = await signaturesOf(deployment, statement, quorumOf(n));
    const proven = { ...identity, ...found, origin: numberOfOrigin(origin) };
    const args = [proven, firstMembers(quorumOf(n)), signatures];
    const receipt = await send(chain, undefined, ciphertextRegistry, 'registerProven', args);
    return { handle, gas: receipt.gasUsed };
  }

  /** What a request costs in each of these transactions, rounded up. */
  async function lookAfterFees(n: number, epochId: Hex, handle: Hex) {
    const { decryptionGateway } = gateway;
    const leftOut = operatorAccount(quorumOf(n) + 1);
    const inBatches = async (
      functionName: 'attest' | 'settle' | 'expire',
      by: LocalAccount,
      ids: Hex[],
    ) => {
      let from = 0;
      for (const size of batches) {
        const args = [ids.slice(from, (from += size))];
        const { gasUsed } = await send(chain, by, decryptionGateway, functionName, args);
        const each = (gasUsed + BigInt(size) - 1n) / BigInt(size);
        record(`n=${n} ${functionName} 1 of ${size}`, each);
      }
    };
    const salts = (name: string) =>
      Array.from({ length: 111 }, (_, i) => keccak256(toHex(`${name} ${i}`)));
    const answered: Hex[] = [];
    for (const salt of salts('answered'))
      answered.push((await decrypt(n, epochId, handle, [0], salt)).requestId);
    await inBatches('attest', leftOut, answered);
    const before = await decrypt(n, epochId, handle, [0], keccak256(toHex('before')));
    await send(chain, leftOut, decryptionGateway, 'attest', [[before.requestId]]);
    await chain.networkHelpers.time.increase(3_601);
    // Who serves has been paid before: that is the ordinary case.
    await send(chain, leftOut, decryptionGateway, 'settle', [[before.requestId]]);
    await inBatches('settle', leftOut, answered);
    const expired: Hex[] = [];
    for (const salt of salts('expired'))
      expired.push(idIn(await requestPublicly(handle, [0], salt)));
    await chain.networkHelpers.time.increase(3_601);
    await inBatches('expire', leftOut, expired);
  }

  function requestPublicly(handle: Hex, positions: number[], salt: Hex) {
    const args = [[handle], positions, salt];
    const { decryptionGateway } = gateway;
    return send(chain, undefined, decryptionGateway, 'requestPublicDecryption', args);
  }

  async function decrypt(
    n: number,
    epochId: Hex,
    handle: Hex,
    positions: number[],
    salt: Hex = zeroHash,
  ) {
    const { decryptionGateway, deployment } = gateway;
    const request = await requestPublicly(handle, positions, salt);
    const requestId = idIn(request);
    // No zero bytes in the result: they would be cheaper than others.
    const bytes = positions.length === 0 ? 32 : 8 * positions.length;
    const result: Hex = `0x${'ab'.repeat(bytes)}`;
    const quorum = quorumOf(n);
    const signatures = await signaturesOf(
      deployment,
      { type: 'Result', contract: 'decryptionGateway', message: { epochId, requestId, result } },
      quorum,
    );
    const response = await send(chain, undefined, decryptionGateway, 'respond', [
      requestId,
      result,
      firstMembers(quorum),
      signatures,
    ]);
    return { requestId, request: request.gasUsed, respond: response.gasUsed };
  }

  async function decryptForUser(n: number, epochId: Hex, handle: Hex) {
    const { decryptionGateway, deployment } = gateway;
    const user = privateKeyToAccount(keccak256(toHex('user')));
    await gateway.ciphertextRegistry.write.allow([handle, user.address]);
    const permit = {
      ...{ user: user.address, publicKeyDigest: keccak256(toHex('public key of the user')) },
      ...{ handles: [handle], owner: zeroAddress },
      ...{ validFrom: startSeconds, validUntil: startSeconds + 86_400n },
    };
    const signature = await user.signTypedData(permitTypedData(deployment, permit));
    const request = await send(chain, undefined, decryptionGateway, 'requestUserDecryption', [
      ...[permit, signature, [handle], true, zeroHash],
    ]);
    const [{ args }] = parseEventLogs({
      abi: decryptionGatewayAbi,
      eventName: 'UserDecryptionRequested',
      logs: request.logs,
    });
    const { requestId } = args;
    const result = keccak256(toHex('answer'));
    const signatures = await signaturesOf(
      deployment,
      { type: 'Result', contract: 'decryptionGateway', message: { epochId, requestId, result } },
      quorumOf(n),
    );
    const response = await send(chain, undefined, decryptionGateway, 'respond', [
      ...[requestId, result, firstMembers(quorumOf(n)), signatures],
    ]);
    return { request: request.gasUsed, respond: response.gasUsed };
  }

  async function makeEvaluationKeys(
    n: number,
    epochId: Hex,
    functionName: string,
    asked: readonly unknown[],
    entries: number,
  ) {
    const { evaluationKeyManager, deployment } = gateway;
    const request = await send(chain, undefined, evaluationKeyManager, functionName, asked);
    const [{ args }] = parseEventLogs({
      abi: evaluationKeyManagerAbi,
      eventName: 'EvaluationKeysRequested',
      logs: request.logs,
    });
    const { requestId } = args;
    const digests = concatHex(
      Array.from({ length: entries }, (_, i) => keccak256(toHex(`entry ${i}`))),
    );
    const signatures = await signaturesOf(
      deployment,
      {
        type: 'Result',
        contract: 'evaluationKeyManager',
        message: { epochId, requestId, result: digests },
      },
      quorumOf(n),
    );
    const response = await send(chain, undefined, evaluationKeyManager, 'recordEvaluationKeys', [
      ...[requestId, digests, firstMembers(quorumOf(n)), signatures],
    ]);
    return { request: request.gasUsed, respond: response.gasUsed };
  }

  async function registerSwitched(origin: Hex, toKeyId: Hex) {
    const { ciphertextRegistry } = gateway;
    const args = [origin, toKeyId, keccak256(toHex('switched')), 3, 20] as const;
    const { result: handle } = await ciphertextRegistry.simulate.registerSwitched(args);
    const receipt = await send(chain, undefined, ciphertextRegistry, 'registerSwitched', args);
    return { handle, gas: receipt.gasUsed };
  }
});

function idIn({ logs }: TransactionReceipt): Hex {
  const [event] = parseEventLogs({
    abi: decryptionGatewayAbi,
    eventName: 'PublicDecryptionRequested',
    logs,
  });
  if (event === undefined) throw new TypeError('nothing was requested');
  return event.args.requestId;
}
