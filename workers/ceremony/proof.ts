import { bn254 } from '@noble/curves/bn254.js';
import { encodeAbiParameters, keccak256, stringToHex, type Address, type Hex } from 'viem';
import type { Curve } from '../curve/curve.ts';
import { toEvm } from '../curve/points.ts';
import { addScalars, multiplyScalars, wipe } from '../curve/scalars.ts';
import { scalarBytes, scalarValue } from './scalars.ts';
import { perSecret, type ContributionSecrets, type PerSecret } from './secrets.ts';
import { g1BytesOf, g1PointOf, stateHash, type G1Point, type PowersState } from './state.ts';

/** Which contribution a proof is for. */
export interface ContributionPlace {
  readonly chainId: bigint;
  readonly crsManager: Address;
  readonly ceremonyId: Hex;
  /** Committee index of the contributor; 0 for a beacon. */
  readonly index: number;
}

/** Proof that a contributor knows what it multiplied by: a challenge and an answer for each secret. */
export interface UpdateProof {
  readonly challenge: bigint;
  readonly tau: bigint;
  readonly alpha: bigint;
  readonly beta: bigint;
}

const proofTag = keccak256(stringToHex('Keyloom powers of tau: proof of knowledge v1'));
const { Fr } = bn254.fields;
const G1 = bn254.G1.Point;

/**
 * Schnorr's proof of knowledge, one challenge for all three secrets (docs/ceremony.md, Proof): for
 * x with New = x·Prev, R = k·Prev, c = H(…, R) and z = k + c·x modulo the group order.
 *
 * Secret: the factors x and the nonces k of `secrets`, which are not wiped here. A nonce that is used
 * for two proofs gives the factor away.
 *
 * @throws CeremonyError SECRET_WIPED; CurveError
 */
export async function prove(
  curve: Curve,
  place: ContributionPlace,
  previous: PowersState,
  next: PowersState,
  secrets: ContributionSecrets,
): Promise<UpdateProof> {
  const { factors, nonces } = secrets;
  const before = bases(previous);
  const commitment = async (name: keyof typeof before): Promise<G1Point> =>
    g1PointOf(toEvm('g1', await curve.multiply('g1', g1BytesOf(before[name]), nonces[name])));
  const commitments = {
    tau: await commitment('tau'),
    alpha: await commitment('alpha'),
    beta: await commitment('beta'),
  };
  const challenge = challengeOf(place, previous, next, commitments);
  const answers = perSecret((name) => {
    const shift = multiplyScalars(scalarBytes(challenge), factors[name]);
    const answer = scalarValue(addScalars(nonces[name], shift));
    wipe(shift);
    return answer;
  });
  return { challenge, ...answers };
}

/**
 * True if the proof is one for this place and these states: with R = z·Prev - c·New the challenge
 * comes out again.
 *
 * @param previous and `next` points on the curve, not infinity
 */
export function verifyProof(
  place: ContributionPlace,
  previous: PowersState,
  next: PowersState,
  proof: UpdateProof,
): boolean {
  if (Object.values(proof).some((scalar: bigint) => scalar < 0n || scalar >= Fr.ORDER))
    return false;
  const before = bases(previous);
  const after = bases(next);
  const commitments = perSecret((name) => {
    const given = G1.fromAffine(before[name]).multiplyUnsafe(proof[name]);
    const taken = G1.fromAffine(after[name]).multiplyUnsafe(proof.challenge);
    return given.subtract(taken).toAffine();
  });
  return challengeOf(place, previous, next, commitments) === proof.challenge;
}

/** The points in G1 that a contribution multiplies, by the secret it multiplies them by. */
export function bases({ tauG1, alphaG1, betaG1 }: PowersState): PerSecret<G1Point> {
  return { tau: tauG1, alpha: alphaG1, beta: betaG1 };
}

function challengeOf(
  { chainId, crsManager, ceremonyId, index }: ContributionPlace,
  previous: PowersState,
  next: PowersState,
  { tau, alpha, beta }: PerSecret<G1Point>,
): bigint {
  const preimage = encodeAbiParameters(challengeLayout, [
    ...([proofTag, chainId, crsManager, ceremonyId, index] as const),
    ...([stateHash(previous), stateHash(next), tau, alpha, beta] as const),
  ]);
  return BigInt(keccak256(preimage)) % Fr.ORDER;
}

const point = {
  type: 'tuple',
  components: [
    { name: 'x', type: 'uint256' },
    { name: 'y', type: 'uint256' },
  ],
} as const;

const challengeLayout = [
  ...([{ type: 'bytes32' }, { type: 'uint256' }, { type: 'address' }] as const),
  ...([{ type: 'bytes32' }, { type: 'uint8' }] as const),
  ...([{ type: 'bytes32' }, { type: 'bytes32' }, point, point, point] as const),
] as const;
