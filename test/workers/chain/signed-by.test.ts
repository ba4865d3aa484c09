import { concat, numberToHex, slice, type Address, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../../workers/chain/client.ts';
import { isSignedBy } from '../../../workers/chain/signed-by.ts';
import { recoverSigner, signStatement, type Statement } from '../../../workers/chain/typed-data.ts';
import { account } from './support/node.ts';

const word = (byte: number): Hex => numberToHex(byte, { size: 32 });
const at = (byte: number): Address => numberToHex(byte, { size: 20 });
const deployment: Deployment = {
  chainId: 31_337n,
  addresses: {
    decryptionGateway: at(1),
    epochManager: at(2),
    keyManager: at(3),
    evaluationKeyManager: at(4),
    ciphertextRegistry: at(5),
    crsManager: at(6),
    operatorRegistry: at(7),
  },
};
const shareOf = (opening: number): Statement => ({
  type: 'ShareCommitment',
  message: { epochId: word(1), openingId: word(opening), root: word(3) },
});
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

/** A signature, and what it is easily taken for. */
async function variants(index: number, statement: Statement): Promise<Hex[]> {
  const signature = await signStatement(account(index), deployment, statement);
  const [r, s, v] = [slice(signature, 0, 32), slice(signature, 32, 64), slice(signature, 64)];
  const otherV = v === '0x1b' ? '0x1c' : '0x1b';
  const flipped = (word32: Hex): Hex => numberToHex(BigInt(word32) ^ 1n, { size: 32 });
  return [
    signature,
    concat([r, s, otherV]),
    concat([flipped(r), s, v]),
    concat([r, flipped(s), v]),
    concat([s, r, v]),
    concat([r, numberToHex(order - BigInt(s), { size: 32 }), otherV]),
    concat([numberToHex(order, { size: 32 }), s, v]),
    concat([word(0), s, v]),
    concat([r, word(0), v]),
    concat([r, s, '0x00']),
    concat([r, s]),
    concat([signature, '0x00']),
    '0x',
  ];
}

describe('isSignedBy', () => {
  it('says what recovering says, of signers it does not know yet and of those it knows', async () => {
    let accepted = 0;
    // In the first round it learns the keys.
    for (let round = 0; round < 2; round++)
      for (const index of [4, 5])
        for (const opening of [1, 2])
          for (const signature of await variants(index, shareOf(opening)))
            for (const [statement, signer] of [
              [shareOf(opening), account(4).address],
              [shareOf(opening), account(5).address],
              [shareOf(opening + 1), account(index).address],
            ] as const) {
              const recovered = await recoverSigner(deployment, statement, signature).catch(
                () => undefined,
              );
              const isSigned = await isSignedBy(deployment, statement, signature, signer);
              expect(isSigned).toBe(recovered === signer);
              if (isSigned) accepted += 1;
            }
    expect(accepted).toBe(2 * 2 * 2);
  });

  it('knows more signers than it keeps keys of', async () => {
    // The first one again at the end, when its key is gone.
    for (const index of [...Array(34).keys(), 0]) {
      const signature = await signStatement(account(index), deployment, shareOf(1));
      const [own, next] = [account(index), account(index + 1)].map(({ address }) => address);
      expect(await isSignedBy(deployment, shareOf(1), signature, own)).toBe(true);
      expect(await isSignedBy(deployment, shareOf(1), signature, next)).toBe(false);
    }
  });
});
