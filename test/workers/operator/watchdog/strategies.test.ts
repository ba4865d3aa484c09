import { concat, type Hex } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';

import { conducts } from '../../../twins/index.ts';
import { answeringBy } from '../../../twins/answering.ts';
import { operatorAccount, send } from '../../../contracts/support/gateway.ts';
import { feeVaultAbi } from '../../../../workers/chain/abi.ts';
import { offenceId, signedResult, type Evidence } from '../../../../workers/protocols/evidence.ts';
import { parameterSetId } from '../../../../workers/sharing/ids.ts';
import type { Conduct } from '../../../../workers/protocols/opening.ts';
import { digestOf } from '../fake-chain.ts';
import type { TestCommittee } from '../harness.ts';
import { deployEpoch, type DeployedEpoch } from './on-chain.ts';
import { compare, complete, evidenceAt, evidenceOf, openAll, openingOf, set } from './opened.ts';

// What each way to lie leaves behind, and that the contract takes it as it is.

const LIAR = 2;
const [first, second] = ['first', 'second'].map(digestOf);

let onChain: DeployedEpoch;
beforeEach(async () => {
  onChain = await deployEpoch(4);
});

/** A committee with a liar that has opened two keys and has seen everything that came late. */
async function openedWith(share: Conduct): Promise<TestCommittee> {
  const answering = answeringBy({ share });
  const committee = await onChain.start({ deviations: { [LIAR]: { answering } } });
  for (const keyId of [first, second]) await openAll(committee, keyId);
  return committee;
}

async function expectConviction(evidence: Evidence, id: Hex): Promise<void> {
  const bondWei = await onChain.bondOf(LIAR);
  expect(bondWei).toBeGreaterThan(0n);
  await onChain.submit(evidence);
  expect(await onChain.convictionsOf(id)).toBe(1);
  expect(await onChain.bondOf(LIAR)).toBe(0n);
  for (const index of [1, 3, 4]) expect(await onChain.bondOf(index)).toBe(bondWei);
}

/** A residue that is not below its prime: it fits on the wire, and no polynomial has it. */
const notCanonical: Conduct = (share, { opening }) => {
  const { primes } = opening.shape;
  const lie = share.slice();
  [lie[0]] = primes;
  return lie;
};

describe.each<[string, Conduct]>([
  ['shifted', conducts['shifted']],
  ['garbage', conducts['garbage']],
  ['replayed', conducts['replayed']],
  ['not canonical', notCanonical],
])('%s shares', (_, conduct) => {
  it('are proven wrong to the contract', async () => {
    const { at } = await openedWith(conduct);
    const { evidence, id } = await evidenceAt(at(3), 'wrong-share');
    expect(evidence).toMatchObject({ epochId: onChain.epochId, index: LIAR });
    await expectConviction(evidence, id);
    // The liar itself has none: not of its own shares either.
    expect(evidenceOf(at(LIAR))).toEqual([]);
  });
});

describe('equivocating', () => {
  it('is proven by whoever got the lie as a wrong share', async () => {
    const { at } = await openedWith(conducts['equivocating']);
    const { evidence, id } = await evidenceAt(at(4), 'wrong-share');
    await expectConviction(evidence, id);
  });

  it('is proven by whoever compares roots, whatever it was told itself', async () => {
    const { at } = await openedWith(conducts['equivocating']);
    for (const index of [1, 3, 4]) await complete(at(index), first);
    expect(await compare(at(1), first, second)).toBe(3);
    const { evidence, id } = await evidenceAt(at(1), 'equivocation');
    expect(evidence).toMatchObject({ subject: openingOf(at(1), first).id, index: LIAR });
    await expectConviction(evidence, id);
  });
});

describe('another result than the recorded one', () => {
  const wrong = digestOf('wrong');
  const right = digestOf('right');

  /** What operators sign of a key's result. */
  const sign = (index: number, requestId: Hex, result: Hex): Promise<Hex> => {
    const { chainId, addresses } = onChain.gateway;
    return operatorAccount(index).signTypedData({
      domain: {
        name: 'Keyloom KeyManager',
        ...{ version: '1', chainId, verifyingContract: addresses.keyManager },
      },
      types: {
        Result: [
          { name: 'epochId', type: 'bytes32' },
          { name: 'requestId', type: 'bytes32' },
          { name: 'result', type: 'bytes' },
        ],
      },
      primaryType: 'Result',
      message: { epochId: onChain.epochId, requestId, result },
    });
  };

  it('is proven once that is recorded, and the recorded one is not', async () => {
    const { chain, deployed, epochId, gateway } = onChain;
    const { keyManager, bondToken } = deployed;
    const feeVault = { address: await keyManager.read.feeVault(), abi: feeVaultAbi };
    const governor = chain.governor.account.address;
    await send(chain, undefined, bondToken, 'mint', [governor, 10n ** 20n]);
    await send(chain, undefined, bondToken, 'approve', [feeVault.address, 10n ** 20n]);
    await send(chain, undefined, feeVault, 'deposit', [governor, 10n ** 20n]);
    const key = [epochId, parameterSetId(set), digestOf('label')] as const;
    const { result: requestId } = await keyManager.simulate.requestKey(key);
    await send(chain, undefined, keyManager, 'requestKey', key);
    const source = gateway.addresses.keyManager;
    const evidenceOfResult = async (index: number, result: Hex) =>
      signedResult(
        { epochId, requestId, source },
        index,
        result,
        await sign(index, requestId, result),
      );
    const evidence = await evidenceOfResult(LIAR, wrong);
    await expect(onChain.submit(evidence)).rejects.toThrow('SlashingManagerNoResult');
    const signatures = concat(await Promise.all([1, 3, 4].map((i) => sign(i, requestId, right))));
    await send(chain, undefined, keyManager, 'recordPublicKey', [
      ...[requestId, right, 0b1101n, signatures],
    ]);
    const honest = await evidenceOfResult(3, right);
    await expect(onChain.submit(honest)).rejects.toThrow('SlashingManagerResultRight');
    await expectConviction(evidence, offenceId(evidence));
  });
});

describe('what nobody can prove', () => {
  it.each(['silent', 'wrong-length'])('%s shares leave no evidence', async (name) => {
    const { at, operators } = await openedWith(conducts[name]);
    for (const index of [1, 3, 4]) await compare(at(index), first, second);
    for (const operator of operators) expect(evidenceOf(operator)).toEqual([]);
  });
});
