import { parseAbi } from 'viem';

import { Role } from '../../deploy/roles.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import { send, walletOf } from '../../tasks/support/transactions.ts';
import { ciphertextRegistryAbi } from '../../workers/chain/abi.ts';
import { firstLimbs } from '../../workers/fhe/ciphertext.ts';
import { noiseOfRelinearizedSquare } from '../../workers/fhe/noise.ts';
import { freshNoiseBound, keySwitchingNoise, noiseOfSum } from '../../workers/fhe/noise-growth.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import type { Committee } from '../../workers/sharing/committee.ts';

// What registrars do: nobody is one unless a test makes somebody one.

/** Makes the account of a gateway, which is the admin's, a registrar. */
export async function becomeRegistrar(gateway: Gateway): Promise<void> {
  const authority = await gateway.client.readContract({
    address: gateway.addresses.ciphertextRegistry,
    abi: ciphertextRegistryAbi,
    functionName: 'authority',
  });
  await send(gateway, {
    address: authority,
    abi: parseAbi(['function grantRole(uint64 roleId, address account, uint32 delay)']),
    functionName: 'grantRole',
    args: [Role.registrar, walletOf(gateway).account.address, 0],
  });
}

/** Guaranteed noise, in bits, of a product of two fresh ciphertexts that is relinearized and rotated. */
export function productNoiseBits(
  set: ParameterSet,
  committee: Committee,
  rotations: number,
): number {
  const fresh = freshNoiseBound(set, committee);
  return rotatedBits(set, committee, noiseOfRelinearizedSquare(set, committee, fresh), rotations);
}

/** The same of a sum. */
export function sumNoiseBits(set: ParameterSet, committee: Committee, rotations: number): number {
  const fresh = freshNoiseBound(set, committee);
  return rotatedBits(set, committee, noiseOfSum(fresh, fresh), rotations);
}

function rotatedBits(
  set: ParameterSet,
  committee: Committee,
  noise: bigint,
  rotations: number,
): number {
  const rotation = keySwitchingNoise(set, committee, firstLimbs(set), 'galois');
  return noiseOfSum(noise, BigInt(rotations) * rotation).toString(2).length;
}
