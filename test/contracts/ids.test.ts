import { hashTypedData, keccak256, toHex, zeroHash, type Hex } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';

import {
  ceremonyId,
  ciphertextHandle,
  evaluationKeysRequestId,
  keyId as idOfKey,
  proposalId,
  publicDecryptionRequestId,
  registrationResult,
  userDecryptionRequestId,
} from '../../workers/chain/ids.ts';
import { permitTypedData } from '../../workers/chain/permit.ts';
import { statementDigest, type ResultContract } from '../../workers/chain/typed-data.ts';
import { numberOfOrigin, origins } from '../../workers/proofs/origins.ts';
import { parameterSet, parameterSets } from '../../workers/ring/parameters.ts';
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
import { activateKey, recordOf } from './support/keys.ts';

const id = (name: string) => keccak256(toHex(name));

describe('what contracts and workers compute separately is the same', () => {
  let chain: LocalChain;
  let gateway: DeployedGateway;
  let epoch: ActiveEpoch;

  beforeAll(async () => {
    chain = await connectChain();
    gateway = await deployGateway(chain, { registrar: chain.governor.account.address });
    epoch = await activateEpoch(chain, gateway, 4, zeroHash);
  });

  test('proposal id', () => {
    const accounts = [1, 2, 3, 4].map((i) => operatorAccount(i).address);
    expect(epoch.proposalId).toBe(
      proposalId(gateway.deployment, { operators: accounts, signers: accounts, salt: zeroHash }),
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
    for (const set of parameterSets) {
      await gateway.keyManager.write.addParameterSet([recordOf(set)]);
      const record = await gateway.keyManager.read.parameterSet([parameterSetId(set)]);
      expect(record).toMatchObject({ name: set.name, lambda: set.lambda });
    }
  });

  test('ids of keys, ciphertexts and requests', async () => {
    const { deployment, ciphertextRegistry, evaluationKeyManager, decryptionGateway } = gateway;
    const { epochId } = epoch;
    const set = parameterSet('insecure-bfv-1024');
    const requester = chain.governor.account.address;
    const [label, targetLabel, digest, salt] = [id('key'), id('target'), id('digest'), id('salt')];
    const { keyId } = await activateKey(chain, gateway, { n: 4, epochId, set, label });
    const key = { epochId, parameterSetId: parameterSetId(set), requester, label };
    expect(keyId).toBe(idOfKey(deployment, key));
    const target = await activateKey(chain, gateway, { n: 4, epochId, set, label: targetLabel });
    const targetKeyId = target.keyId;

    const registration = [keyId, digest, 3, 20, requester] as const;
    const { result: handle } = await ciphertextRegistry.simulate.register(registration);
    await ciphertextRegistry.write.register(registration);
    const vouched = { origin: 'vouched', proofDigest: undefined } as const;
    const owned = { keyId, digest, owner: requester };
    expect(handle).toBe(ciphertextHandle(deployment, { ...owned, ...vouched }));

    for (const origin of origins.filter((one) => one !== 'vouched')) {
      const identity = { ...owned, origin, proofDigest: id('proof') };
      const expected = ciphertextHandle(deployment, identity);
      const found = { limbs: 3, noiseBits: 20, inputs: origin === 'computed' ? [handle] : [] };
      const message = { epochId, requestId: expected, result: registrationResult(found) };
      const statement = { type: 'Result', contract: 'ciphertextRegistry', message } as const;
      const { result: proven } = await ciphertextRegistry.simulate.registerProven([
        { ...identity, ...found, origin: numberOfOrigin(origin) },
        firstMembers(3),
        await signaturesOf(deployment, statement, 3),
      ]);
      expect(proven).toBe(expected);
    }

    const { simulate } = evaluationKeyManager;
    const { result: relinearization } = await simulate.requestRelinearizationKey([keyId]);
    expect(relinearization).toBe(
      evaluationKeysRequestId(deployment, { epochId, keyId, kind: 'relinearization' }),
    );
    const elements = [3, 9, 2047];
    const { result: galois } = await simulate.requestGaloisKeys([keyId, elements]);
    expect(galois).toBe(
      evaluationKeysRequestId(deployment, { epochId, keyId, kind: 'galois', elements }),
    );
    await evaluationKeyManager.write.allowSwitching([keyId, targetKeyId]);
    const { result: switching } = await simulate.requestSwitchingKey([keyId, targetKeyId]);
    expect(switching).toBe(
      evaluationKeysRequestId(deployment, { epochId, keyId, kind: 'switching', targetKeyId }),
    );

    const handles = [handle];
    const positions = [0, 1023];
    const { result: publicly } = await decryptionGateway.simulate.requestPublicDecryption([
      ...([handles, positions, salt] as const),
    ]);
    const asked = { epochId, handles, requester, salt };
    expect(publicly).toBe(publicDecryptionRequestId(deployment, { ...asked, positions }));

    const user = operatorAccount(1);
    await ciphertextRegistry.write.allow([handle, user.address]);
    const { timestamp } = await chain.client.getBlock();
    const permit = {
      ...{ user: user.address, publicKeyDigest: id('public key of the user') },
      ...{ handles: [] as Hex[], owner: requester },
      ...{ validFrom: timestamp, validUntil: timestamp + 86_400n },
    };
    const signature = await user.signTypedData(permitTypedData(deployment, permit));
    for (const packed of [false, true]) {
      const args = [permit, signature, handles, packed, salt] as const;
      const { result } = await decryptionGateway.simulate.requestUserDecryption(args);
      expect(result).toBe(
        userDecryptionRequestId(deployment, { ...asked, ...permit, packed, handles }),
      );
    }
  });

  test('ceremony id', async () => {
    const { crsManager, deployment } = gateway;
    const requester = chain.governor.account.address;
    const shape = { power: 17, slotSeconds: 100, beaconIterationsExp: 24 };
    const asked = [epoch.epochId, 17, 100, 24, id('salt')] as const;
    const { result } = await crsManager.simulate.requestCrs(asked, { account: requester });
    const { epochId } = epoch;
    expect(result).toBe(ceremonyId(deployment, { epochId, ...shape, requester, salt: id('salt') }));
  });

  test('digests of permits', async () => {
    const permit = {
      ...{ user: operatorAccount(1).address, publicKeyDigest: id('public key') },
      ...{ handles: [id('first'), id('second')], owner: operatorAccount(2).address },
      ...{ validFrom: 2n ** 63n, validUntil: 2n ** 64n - 1n },
    };
    for (const handles of [permit.handles, []]) {
      const typed = permitTypedData(gateway.deployment, { ...permit, handles });
      expect(
        await gateway.decryptionGateway.read.hashUserDecryptionPermit([{ ...permit, handles }]),
      ).toBe(hashTypedData(typed));
    }
  });

  test('digests of everything that is signed', async () => {
    const { deployment, epochManager, keyManager } = gateway;
    const { evaluationKeyManager, ciphertextRegistry, crsManager, decryptionGateway } = gateway;
    const epochId = epoch.epochId;
    const [a, b, height, result] = [id('a'), id('b'), 2n ** 63n, '0x0102030405060708'] as const;
    const next = id('c');
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
    expect(await epochManager.read.hashContribution([epochId, a, b, next])).toBe(
      statementDigest(deployment, {
        type: 'Contribution',
        message: { epochId, ceremonyId: a, previous: b, next },
      }),
    );
    for (const [contract, { read }] of Object.entries({
      ...{ keyManager, evaluationKeyManager, ciphertextRegistry, crsManager, decryptionGateway },
    }) as [ResultContract, typeof decryptionGateway][])
      expect(await read.hashResult([epochId, a, keccak256(result)])).toBe(
        statementDigest(deployment, {
          ...({ type: 'Result', contract } as const),
          message: { epochId, requestId: a, result },
        }),
      );
  });

  test('signatures of the workers pass as a quorum', async () => {
    const { epochManager, decryptionGateway, deployment } = gateway;
    const { epochId } = epoch;
    const [requestId, result] = [id('request'), '0x0102030405060708'] as const;
    const quorum = quorumOf(4);
    const signatures = await signaturesOf(
      deployment,
      {
        ...({ type: 'Result', contract: 'decryptionGateway' } as const),
        message: { epochId, requestId, result },
      },
      quorum,
    );
    const { number } = await epochManager.read.epoch([epochId]);
    const domain = await decryptionGateway.read.domainSeparator();
    const verify = (resultHash: Hex) =>
      epochManager.read.verifyResult([
        ...([number, domain, requestId, resultHash, firstMembers(quorum), signatures] as const),
      ]);
    await verify(keccak256(result));
    await expect(verify(id('another result'))).rejects.toThrow('EpochManagerWrongSigner');
  });
});
