import { readFile, writeFile } from 'node:fs/promises';
import { env } from 'node:process';
import {
  keccak256,
  parseEventLogs,
  toHex,
  zeroHash,
  type Hex,
  type TransactionReceipt,
} from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import { decryptionGatewayAbi } from '../../workers/chain/abi.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { parameterSetId } from '../../workers/sharing/ids.ts';
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

const snapshotFile = new URL('gas.json', import.meta.url);

/** Limits of request and response of one scalar together, in gas. */
const cases = [
  { n: 4, limit: 250_000n },
  { n: 13, limit: 350_000n },
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
    gateway = await deployGateway(chain);
    await gateway.keyManager.write.addParameterSet([
      {
        ...set,
        primes: [...set.primes],
        decryptionLimbs: [3, 3, 3, 3],
        floodBits: [90, 90, 90, 90],
        maxNoiseBits: [20, 20, 20, 20],
      },
    ]);
  });

  test.each(cases)('operations with a committee of $n', async ({ n, limit }) => {
    const epoch = await activateEpoch(chain, gateway, n, zeroHash);
    for (const [name, gas] of Object.entries(epoch.gas)) record(`n=${n} ${name}`, gas);

    const keyId = await requestAndRecordKey(n, epoch.epochId);
    const handle = await registerCiphertext(n, keyId);
    const scalar = await decrypt(n, epoch.epochId, handle, [0]);
    record(`n=${n} request one scalar`, scalar.request);
    record(`n=${n} respond one scalar`, scalar.respond);
    expect(scalar.request + scalar.respond).toBeLessThan(limit);

    const plaintext = await decrypt(n, epoch.epochId, handle, []);
    record(`n=${n} request all coefficients`, plaintext.request);
    record(`n=${n} respond all coefficients`, plaintext.respond);
  });

  test('is what gas.json says', async () => {
    if (env['UPDATE_GAS']) await writeFile(snapshotFile, `${JSON.stringify(measured, null, 2)}\n`);
    expect(measured).toEqual(JSON.parse(await readFile(snapshotFile, 'utf8')));
  });

  async function requestAndRecordKey(n: number, epochId: Hex): Promise<Hex> {
    const { keyManager, deployment } = gateway;
    const args = [epochId, parameterSetId(set), zeroHash] as const;
    const { result: keyId } = await keyManager.simulate.requestKey(args);
    const request = await send(chain, undefined, keyManager, 'requestKey', args);
    record(`n=${n} request key`, request.gasUsed);

    const digest = keccak256(toHex('public key'));
    const quorum = quorumOf(n);
    const signatures = await signaturesOf(
      deployment,
      { type: 'PublicKeyResult', message: { epochId, keyId, digest } },
      quorum,
    );
    const response = await send(chain, undefined, keyManager, 'recordPublicKey', [
      keyId,
      digest,
      firstMembers(quorum),
      signatures,
    ]);
    record(`n=${n} record key`, response.gasUsed);
    return keyId;
  }

  async function registerCiphertext(n: number, keyId: Hex): Promise<Hex> {
    const { ciphertextRegistry } = gateway;
    const owner = chain.governor.account.address;
    const args = [keyId, keccak256(toHex('ciphertext')), 3, 20, owner] as const;
    const { result: handle } = await ciphertextRegistry.simulate.register(args);
    const receipt = await send(chain, undefined, ciphertextRegistry, 'register', args);
    record(`n=${n} register ciphertext`, receipt.gasUsed);
    return handle;
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
