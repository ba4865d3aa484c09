import { concat, keccak256, numberToHex, slice, type Hex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectGateway, type GatewayClient } from '../../../workers/chain/client.ts';
import { ChainErrorCode } from '../../../workers/chain/errors.ts';
import {
  recoverSigner,
  signStatement,
  statementDigest,
  type Statement,
} from '../../../workers/chain/typed-data.ts';
import { deployGateway } from './support/deployment.ts';
import { account, startNode, type TestNode } from './support/node.ts';

const word = (byte: number): Hex => numberToHex(byte, { size: 32 });
const epochId = word(1);

/** The statements whose digest a contract computes, too. */
type Hashed = Exclude<Statement, { type: 'SeedRequest' }>;
const statements: Hashed[] = [
  { type: 'ShareCommitment', message: { epochId, openingId: word(2), root: word(3) } },
  {
    type: 'ChainView',
    message: { epochId, height: 2n ** 40n + 7n, blockHash: word(4), logsDigest: word(5) },
  },
  {
    type: 'Contribution',
    message: { epochId, ceremonyId: word(11), previous: word(12), next: word(13) },
  },
  {
    ...{ type: 'Result', contract: 'keyManager' },
    message: { epochId, requestId: word(6), result: word(7) },
  },
  {
    ...{ type: 'Result', contract: 'decryptionGateway' },
    message: { epochId, requestId: word(8), result: '0x00000000000000010203' },
  },
  {
    ...{ type: 'Result', contract: 'ciphertextRegistry' },
    message: { epochId, requestId: word(8), result: word(15) },
  },
  {
    ...{ type: 'Result', contract: 'crsManager' },
    message: { epochId, requestId: word(8), result: word(14) },
  },
  {
    ...{ type: 'Result', contract: 'evaluationKeyManager' },
    message: { epochId, requestId: word(8), result: concat([word(9), word(10)]) },
  },
];
const statement = statements[0];

let node: TestNode;
let gateway: GatewayClient;

beforeAll(async () => {
  node = await startNode();
  const { addresses } = await deployGateway(node);
  gateway = await connectGateway({ rpcUrls: [node.rpcUrl], gateway: addresses.decryptionGateway });
});
afterAll(() => node?.stop());

/** The digest by the contract that verifies it, or for which it is meant. */
async function onChain(of: Hashed): Promise<Hex> {
  const { type, message } = of;
  const { epochManager } = gateway.contracts;
  switch (type) {
    case 'ShareCommitment':
      return epochManager.read.hashShareCommitment([
        message.epochId,
        message.openingId,
        message.root,
      ]);
    case 'ChainView':
      return epochManager.read.hashChainView([
        message.epochId,
        message.height,
        message.blockHash,
        message.logsDigest,
      ]);
    case 'Contribution':
      return epochManager.read.hashContribution([
        ...([message.epochId, message.ceremonyId, message.previous, message.next] as const),
      ]);
    case 'Result':
      return gateway.contracts[of.contract].read.hashResult([
        message.epochId,
        message.requestId,
        keccak256(message.result),
      ]);
  }
}

describe.each(statements)('$type $contract', (each) => {
  it("has the contract's digest", async () => {
    expect(statementDigest(gateway, each)).toBe(await onChain(each));
  });

  it('gives its signer back', async () => {
    const signature = await signStatement(account(3), gateway, each);
    expect(await recoverSigner(gateway, each, signature)).toBe(account(3).address);
    expect(await signStatement(account(3), gateway, each)).toBe(signature);
  });

  it('is signed for one chain, one contract and one epoch', async () => {
    const { addresses } = gateway;
    const elsewhere = {
      ...addresses,
      epochManager: addresses.keyManager,
      keyManager: addresses.epochManager,
      evaluationKeyManager: addresses.epochManager,
      ciphertextRegistry: addresses.epochManager,
      crsManager: addresses.epochManager,
      decryptionGateway: addresses.epochManager,
    };
    const digests = [
      statementDigest(gateway, each),
      statementDigest({ ...gateway, chainId: 1n }, each),
      statementDigest({ ...gateway, addresses: elsewhere }, each),
      statementDigest(gateway, {
        ...each,
        message: { ...each.message, epochId: word(9) },
      } as Statement),
    ];
    expect(new Set(digests).size).toBe(4);
  });
});

describe('recoverSigner', () => {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

  async function parts() {
    const signature = await signStatement(account(3), gateway, statement);
    return {
      signature,
      r: slice(signature, 0, 32),
      s: slice(signature, 32, 64),
      v: slice(signature, 64, 65),
    };
  }

  it.each<[string, (p: Awaited<ReturnType<typeof parts>>) => Hex]>([
    [
      'with s in the upper half',
      ({ r, s, v }) => {
        const mirrored = numberToHex(order - BigInt(s), { size: 32 });
        return concat([r, mirrored, v === '0x1b' ? '0x1c' : '0x1b']);
      },
    ],
    ['with v 0 or 1', ({ r, s, v }) => concat([r, s, v === '0x1b' ? '0x00' : '0x01'])],
    ['with v 29', ({ r, s }) => concat([r, s, '0x1d'])],
    ['with r zero', ({ s, v }) => concat([word(0), s, v])],
    ['with s zero', ({ r, v }) => concat([r, word(0), v])],
    ['with r above the order', ({ s, v }) => concat([numberToHex(order, { size: 32 }), s, v])],
    ['that is on no curve point', ({ s, v }) => concat([word(5), s, v])],
    ['of 64 bytes', ({ r, s }) => concat([r, s])],
    ['of 66 bytes', ({ signature }) => concat([signature, '0x00'])],
    ['of half a byte too much', ({ signature }) => `${signature}0`],
    ['that is empty', () => '0x'],
    ['that is not hex', () => 'hello' as Hex],
  ])('refuses a signature %s', async (_, change) => {
    await expect(recoverSigner(gateway, statement, change(await parts()))).rejects.toMatchObject({
      code: ChainErrorCode.SIGNATURE_MALFORMED,
    });
  });
});
