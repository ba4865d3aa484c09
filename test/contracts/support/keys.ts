import { keccak256, toHex, zeroHash, type Hex } from 'viem';

import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { parameterSetId } from '../../../workers/sharing/ids.ts';
import {
  firstMembers,
  quorumOf,
  send,
  signaturesOf,
  type DeployedGateway,
  type LocalChain,
} from './gateway.ts';

/** A parameter set in the form of the contract, with a plan that all committees share. */
export const recordOf = (set: ParameterSet) => {
  const limbs = set.primes.length - 1;
  return {
    ...set,
    primes: [...set.primes],
    decryptionLimbs: [limbs, limbs, limbs, limbs] as const,
    floodBits: [90, 90, 90, 90] as const,
    maxNoiseBits: [20, 20, 20, 20] as const,
  };
};

/** Requests a key and records a public key for it, with the gas of both. */
export async function activateKey(
  chain: LocalChain,
  { keyManager, deployment }: DeployedGateway,
  key: { n: number; epochId: Hex; set: ParameterSet; label?: Hex },
) {
  const { n, epochId, set, label = zeroHash } = key;
  const args = [epochId, parameterSetId(set), label] as const;
  const { result: keyId } = await keyManager.simulate.requestKey(args);
  const request = await send(chain, undefined, keyManager, 'requestKey', args);
  const digest = keccak256(toHex('public key'));
  const quorum = quorumOf(n);
  const statement = {
    type: 'Result',
    contract: 'keyManager',
    message: { epochId, requestId: keyId, result: digest },
  } as const;
  const signatures = await signaturesOf(deployment, statement, quorum);
  const recorded = [keyId, digest, firstMembers(quorum), signatures];
  const record = await send(chain, undefined, keyManager, 'recordPublicKey', recorded);
  return { keyId, requestGas: request.gasUsed, recordGas: record.gasUsed };
}
