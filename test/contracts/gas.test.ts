import { readFile, writeFile } from 'node:fs/promises';
import { env } from 'node:process';
import {
  concatHex,
  keccak256,
  parseEventLogs,
  toHex,
  zeroAddress,
  zeroHash,
  type Hex,
  type TransactionReceipt,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { beforeAll, describe, expect, test } from 'vitest';

import { decryptionGatewayAbi, evaluationKeyManagerAbi } from '../../workers/chain/abi.ts';
import { permitTypedData } from '../../workers/chain/permit.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { activateEpoch } from './support/epoch.ts';
import {
  connectChain,
  deployGateway,
  firstMembers,
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

/** Limits of request and response of one scalar together, in gas. The meter takes a quarter of it. */
const cases = [
  { n: 4, limit: 320_000n },
  { n: 13, limit: 360_000n },
];

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
    gateway = await deployGateway(chain);
    await gateway.keyManager.write.addParameterSet([recordOf(set)]);
  });

  test.each(cases)('operations with a committee of $n', async ({ n, limit }) => {
    const epoch = await activateEpoch(chain, gateway, n, zeroHash);
    for (const [name, gas] of Object.entries(epoch.gas)) record(`n=${n} ${name}`, gas);

    const key = await activateKey(chain, gateway, { n, epochId: epoch.epochId, set });
    record(`n=${n} request key`, key.requestGas);
    record(`n=${n} record key`, key.recordGas);
    const { keyId } = key;
    const first = await registerCiphertext(keyId, 'first');
    record(`n=${n} register ciphertext`, first.gas);
    const { handle } = first;
    const scalar = await decrypt(n, epoch.epochId, handle, [0]);
    record(`n=${n} request one scalar`, scalar.request);
    record(`n=${n} respond one scalar`, scalar.respond);
    expect(scalar.request + scalar.respond).toBeLessThan(limit);

    const again = await decrypt(n, epoch.epochId, handle, [1]);
    record(`n=${n} request one scalar (unit spent before)`, again.request);

    const second = await registerCiphertext(keyId, 'second');
    const another = await decrypt(n, epoch.epochId, second.handle, [0]);
    record(`n=${n} request one scalar (another unit)`, another.request);

    const plaintext = await decrypt(n, epoch.epochId, handle, []);
    record(`n=${n} request all coefficients`, plaintext.request);
    record(`n=${n} respond all coefficients`, plaintext.respond);

    const forUser = await decryptForUser(n, epoch.epochId, handle);
    record(`n=${n} request user decryption`, forUser.request);
    record(`n=${n} respond user decryption`, forUser.respond);

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
  });

  test('is what gas.json says', async () => {
    if (env['UPDATE_GAS']) await writeFile(snapshotFile, `${JSON.stringify(measured, null, 2)}\n`);
    expect(measured).toEqual(JSON.parse(await readFile(snapshotFile, 'utf8')));
  });

  async function registerCiphertext(keyId: Hex, name: string) {
    const { ciphertextRegistry } = gateway;
    const owner = chain.governor.account.address;
    const args = [keyId, keccak256(toHex(name)), 3, 20, owner] as const;
    const { result: handle } = await ciphertextRegistry.simulate.register(args);
    const receipt = await send(chain, undefined, ciphertextRegistry, 'register', args);
    return { handle, gas: receipt.gasUsed };
  }

  async function decrypt(n: number, epochId: Hex, handle: Hex, positions: number[]) {
    const { decryptionGateway, deployment } = gateway;
    const request = await send(chain, undefined, decryptionGateway, 'requestPublicDecryption', [
      [handle],
      positions,
      zeroHash,
    ]);
    const requestId = idIn(request);
    // No zero bytes in the result: they would be cheaper than others.
    const bytes = positions.length === 0 ? 32 : 8 * positions.length;
    const result: Hex = `0x${'ab'.repeat(bytes)}`;
    const quorum = quorumOf(n);
    const signatures = await signaturesOf(
      deployment,
      { type: 'PublicDecryptionResult', message: { epochId, requestId, result } },
      quorum,
    );
    const response = await send(chain, undefined, decryptionGateway, 'respondPublicDecryption', [
      requestId,
      result,
      firstMembers(quorum),
      signatures,
    ]);
    return { request: request.gasUsed, respond: response.gasUsed };
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
      { type: 'UserDecryptionResult', message: { epochId, requestId, result } },
      quorumOf(n),
    );
    const response = await send(chain, undefined, decryptionGateway, 'respondUserDecryption', [
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
      { type: 'EvaluationKeysResult', message: { epochId, requestId, digests } },
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
