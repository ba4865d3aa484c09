import { encodeAbiParameters, keccak256, parseAbiParameters, toHex, zeroHash } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import { statementDigest } from '../../workers/chain/typed-data.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { committeeOf } from '../../workers/sharing/committee.ts';
import { parameterSetId } from '../../workers/sharing/ids.ts';
import { epochId as computeEpochId, setupDigest } from '../../workers/sharing/setup.ts';
import { activateEpoch, rootOf, type ActiveEpoch } from './support/epoch.ts';
import {
  connectChain,
  deployGateway,
  firstMembers,
  operatorAccount,
  quorumOf,
  signaturesOf,
  type DeployedGateway,
  type LocalChain,
} from './support/gateway.ts';

const id = (name: string) => keccak256(toHex(name));

describe('what contracts and workers compute separately is the same', () => {
  let chain: LocalChain;
  let gateway: DeployedGateway;
  let epoch: ActiveEpoch;

  beforeAll(async () => {
    chain = await connectChain();
    gateway = await deployGateway(chain);
    epoch = await activateEpoch(chain, gateway, 4, zeroHash);
  });

  test('proposal id', () => {
    const accounts = [1, 2, 3, 4].map((i) => operatorAccount(i).address);
    const { chainId, addresses } = gateway.deployment;
    expect(epoch.proposalId).toBe(
      keccak256(
        encodeAbiParameters(parseAbiParameters('uint256, address, address[], address[], bytes32'), [
          chainId,
          addresses.epochManager,
          accounts,
          accounts,
          zeroHash,
        ]),
      ),
    );
  });

  test('set-up digest and epoch id', async () => {
    const record = await gateway.epochManager.read.epoch([epoch.epochId]);
    const standing = [1, 2, 3];
    const digest = setupDigest(committeeOf(4), epoch.proposalId, standing, standing.map(rootOf));
    expect(record.setupDigest).toBe(digest);
    expect(epoch.epochId).toBe(
      computeEpochId({
        chainId: gateway.deployment.chainId,
        epochManager: gateway.epochManager.address,
        signers: record.signers,
        setupDigest: digest,
      }),
    );
  });

  test('parameter set ids', async () => {
    for (const name of ['bfv-8192-b20', 'insecure-bfv-1024']) {
      const set = parameterSet(name);
      const limbs = set.primes.length - 1;
      await gateway.keyManager.write.addParameterSet([
        {
          ...set,
          primes: [...set.primes],
          decryptionLimbs: [limbs, 0, 0, 0],
          floodBits: [90, 0, 0, 0],
          maxNoiseBits: [20, 0, 0, 0],
        },
      ]);
      const record = await gateway.keyManager.read.parameterSet([parameterSetId(set)]);
      expect(record.name).toBe(name);
    }
  });

  test('digests of everything that is signed', async () => {
    const { deployment, epochManager, keyManager, decryptionGateway } = gateway;
    const epochId = epoch.epochId;
    const [a, b, height, result] = [id('a'), id('b'), 2n ** 63n, '0x0102030405060708'] as const;
    expect(await epochManager.read.hashShareCommitment([epochId, a, b])).toBe(
      statementDigest(deployment, {
        type: 'ShareCommitment',
        message: { epochId, openingId: a, root: b },
      }),
    );
    expect(await epochManager.read.hashChainView([epochId, height, a, b])).toBe(
      statementDigest(deployment, {
        type: 'ChainView',
        message: { epochId, height, blockHash: a, logsDigest: b },
      }),
    );
    expect(await keyManager.read.hashPublicKeyResult([epochId, a, b])).toBe(
      statementDigest(deployment, {
        type: 'PublicKeyResult',
        message: { epochId, keyId: a, digest: b },
      }),
    );
    expect(await decryptionGateway.read.hashPublicDecryptionResult([epochId, a, result])).toBe(
      statementDigest(deployment, {
        type: 'PublicDecryptionResult',
        message: { epochId, requestId: a, result },
      }),
    );
  });

  test('signatures of the workers pass as a quorum', async () => {
    const message = { epochId: epoch.epochId, openingId: id('opening'), root: id('root') };
    const quorum = quorumOf(4);
    const digest = statementDigest(gateway.deployment, { type: 'ShareCommitment', message });
    const signatures = await signaturesOf(
      gateway.deployment,
      { type: 'ShareCommitment', message },
      quorum,
    );
    await gateway.epochManager.read.verifyQuorum([
      epoch.epochId,
      digest,
      firstMembers(quorum),
      signatures,
    ]);
    await expect(
      gateway.epochManager.read.verifyQuorum([
        epoch.epochId,
        id('another digest'),
        firstMembers(quorum),
        signatures,
      ]),
    ).rejects.toThrow('EpochManagerWrongSigner');
  });
});
