import { createHash } from 'node:crypto';
import { sha256, stringToHex } from 'viem';
import type { Address, Hex } from 'viem';
import { entryStart } from '../../../workers/fhe/evaluation-keys.ts';
import { entriesOf } from '../../../workers/protocols/evaluation-keys.ts';
import type { EvaluationKeyRequest } from '../../../workers/protocols/evaluation-keys.ts';
import * as keyGeneration from '../../../workers/protocols/key-generation.ts';
import { honest, open } from '../../../workers/protocols/opening.ts';
import type {
  Conduct,
  KeyShare,
  Opening,
  Part,
  Secrets,
  Session,
} from '../../../workers/protocols/opening.ts';
import * as publicDecryption from '../../../workers/protocols/public-decryption.ts';
import type { Decryption } from '../../../workers/protocols/public-decryption.ts';
import type { RnsVector } from '../../../workers/ring/basis.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import type { Committee } from '../../../workers/sharing/committee.ts';
import { createDealing } from '../../../workers/sharing/dealing.ts';
import type { Dealing } from '../../../workers/sharing/dealing.ts';
import { openRobustly } from '../../../workers/sharing/opening.ts';
import type { OpenedValue } from '../../../workers/sharing/opening.ts';
import { SharedRandomness } from '../../../workers/sharing/prss.ts';
import { deriveSetKeys, epochId, setupDigest } from '../../../workers/sharing/setup.ts';

/** A committee in one process: all operators, and nothing between them but their conducts. */
export interface Simulation {
  readonly session: Session;
  /** Operators that take part. */
  readonly indices: readonly number[];
  readonly randomness: ReadonlyMap<number, SharedRandomness>;
  /** K_A by number of the set, as each operator has them. */
  readonly setKeys: ReadonlyMap<number, ReadonlyMap<number, Uint8Array>>;
}

/** A key that the committee has generated. */
export interface SimulatedKey {
  readonly keyId: Hex;
  readonly set: ParameterSet;
  readonly publicKey: Uint8Array;
  readonly digest: Hex;
  readonly keyShares: ReadonlyMap<number, KeyShare>;
  /** Shares of b as the honest operators compute them. */
  readonly shares: ReadonlyMap<number, RnsVector>;
}

/** How each operator treats its peers; honest where absent. */
export type Conducts = ReadonlyMap<number, Conduct>;

const gateway: Address = '0x00000000000000000000000000000000000000a1';
const epochManager: Address = '0x00000000000000000000000000000000000000a2';

/** What every operator deals for a proposal, from a fixed seed. */
export function dealingsOf(committee: Committee, proposalId: Hex): Map<number, Dealing> {
  let draws = 0;
  const randomBytes = (length: number): Uint8Array =>
    createHash('shake256', { outputLength: length }).update(`simulation/${draws++}`).digest();
  const indices = Array.from({ length: committee.n }, (_, at) => at + 1);
  return new Map(
    indices.map((dealer) => [dealer, createDealing(committee, proposalId, dealer, randomBytes)]),
  );
}

/** What operators hold of an epoch that was set up with the dealings of those that stand. */
export function simulationOf(
  session: Session,
  dealings: ReadonlyMap<number, Dealing>,
  standing: readonly number[],
  present: readonly number[],
): Simulation {
  const { committee, setupDigest: digest } = session;
  const setKeys = new Map(
    present.map((index) => [
      index,
      deriveSetKeys(committee, index, digest, standing, (dealer, set) =>
        dealings.get(dealer)!.seeds.get(set),
      ),
    ]),
  );
  const randomness = [...setKeys].map(([index, keys]): [number, SharedRandomness] => [
    index,
    new SharedRandomness(committee, index, keys),
  ]);
  return { session, indices: present, randomness: new Map(randomness), setKeys };
}

/**
 * Sets an epoch up from a fixed seed: every dealer deals, every dealing stands.
 *
 * @param options.present how many operators take part in what follows, the first ones; all if absent
 */
export function simulate(n: number, options: { readonly present?: number } = {}): Simulation {
  const committee = committeeOf(n);
  const proposalId = sha256(stringToHex('simulation/proposal'));
  const dealings = dealingsOf(committee, proposalId);
  const indices = [...dealings.keys()];
  const roots = indices.map((dealer) => dealings.get(dealer)!.root);
  const digest = setupDigest(committee, proposalId, indices, roots);
  const signers = indices.map((index): Address => `0x${index.toString(16).padStart(40, '0')}`);
  const chainId = 31337n;
  const epoch = epochId({ chainId, epochManager, signers, setupDigest: digest });
  const session = { chainId, gateway, epochId: epoch, setupDigest: digest, committee };
  return simulationOf(session, dealings, indices, indices.slice(0, options.present));
}

/** Runs key generation among honest operators. */
export function generateKey(
  { session, indices, randomness }: Simulation,
  set: ParameterSet,
  label = 'key',
): SimulatedKey {
  const keyId = sha256(stringToHex(label));
  const opening = keyGeneration.describe(session, { keyId, set });
  const steps = new Map(
    indices.map((index) => [index, keyGeneration.share(opening, randomness.get(index)!)]),
  );
  const shares = new Map([...steps].map(([index, step]) => [index, step.share]));
  const { value } = keyGeneration.open(opening, shares);
  return {
    keyId,
    set,
    ...keyGeneration.finish(opening, value),
    keyShares: new Map([...steps].map(([index, step]) => [index, step.keyShare])),
    shares,
  };
}

/** The secret key that the shares share, in coefficient form over all primes. */
export function secretOf({ session }: Simulation, key: SimulatedKey): RnsVector {
  const { primes, degree } = key.set;
  const shape = { primes, width: degree, polynomials: 1 };
  const shares = new Map([...key.keyShares].map(([index, share]) => [index, share.coefficients]));
  return openRobustly(session.committee, shape, shares).value;
}

/** The honest shares of a decryption, and what is needed to open them. */
export function decryptionShares(
  { session, indices, randomness }: Simulation,
  key: SimulatedKey,
  ciphertext: Uint8Array,
  positions?: readonly number[],
): { opening: publicDecryption.PublicDecryption; shares: Map<number, RnsVector> } {
  const { keyId, set } = key;
  const opening = publicDecryption.describe(session, {
    keyId,
    generation: 0,
    set,
    ciphertexts: [ciphertext],
    positions,
  });
  const shares = new Map(
    indices.map((index) => [
      index,
      publicDecryption.share(opening, key.keyShares.get(index)!, randomness.get(index)!),
    ]),
  );
  return { opening, shares };
}

/**
 * What operator `to` has received when all have answered: its own share, and from each peer what
 * that peer's conduct makes of the honest one.
 */
export function received(
  opening: Opening,
  shares: ReadonlyMap<number, RnsVector>,
  to: number,
  conducts: Conducts = new Map(),
  previous: ReadonlyMap<number, RnsVector> = new Map(),
): Map<number, RnsVector> {
  const arrived = new Map<number, RnsVector>();
  for (const [from, share] of shares) {
    const conduct = from === to ? honest : (conducts.get(from) ?? honest);
    const earlier = previous.get(from);
    const answer = conduct(share, { opening, to, ...(earlier && { previous: earlier }) });
    if (answer !== undefined) arrived.set(from, answer);
  }
  return arrived;
}

/** One opening of a part, as it went. */
export interface Opened extends OpenedValue {
  readonly opening: Opening;
  /** As the operators compute them. */
  readonly shares: ReadonlyMap<number, RnsVector>;
}

/** What an operator brings to a step, with the keys it has shares of. */
export function secretsOf(
  { randomness }: Simulation,
  keys: readonly SimulatedKey[],
  index: number,
): Secrets {
  return {
    randomness: randomness.get(index)!,
    keyShare: (keyId) => keys.find((key) => key.keyId === keyId)!.keyShares.get(index)!,
  };
}

/**
 * Runs a part as operator `to` sees it.
 *
 * @param keys whose shares the operators have
 * @param options.previous shares of an opening before this part, for who replays
 * @param options.known shares by opening id that need not be computed again
 * @returns the result, and for each round its openings
 */
export function runPart<Result>(
  simulation: Simulation,
  keys: readonly SimulatedKey[],
  part: Part<Result>,
  options: {
    readonly to?: number;
    readonly conducts?: Conducts;
    readonly previous?: ReadonlyMap<number, RnsVector>;
    readonly known?: ReadonlyMap<Hex, ReadonlyMap<number, RnsVector>>;
  } = {},
): { result: Result; rounds: Opened[][] } {
  const { to = 1, conducts, known } = options;
  const rounds: Opened[][] = [];
  let previous = options.previous;
  let next = part.next();
  while (!next.done) {
    const round = next.value.map(({ opening, share }) => {
      const shares =
        known?.get(opening.id) ??
        new Map(
          simulation.indices.map((index) => [index, share(secretsOf(simulation, keys, index))]),
        );
      const opened = open(opening, received(opening, shares, to, conducts, previous));
      previous = shares;
      return { opening, shares, ...opened };
    });
    rounds.push(round);
    next = part.next(round.map(({ value }) => value));
  }
  return { result: next.value, rounds };
}

/** The openings that a part begins with. */
export function firstOpenings(part: Part<unknown>): Opening[] {
  const next = part.next();
  return next.done ? [] : next.value.map(({ opening }) => opening);
}

/** The entries of a request, digit by digit, with the Galois element of each. */
export function makeEntries(
  simulation: Simulation,
  keys: readonly SimulatedKey[],
  request: EvaluationKeyRequest,
): { element: number; entry: Uint8Array[] }[] {
  const [{ set }] = keys;
  return entriesOf(simulation.session, request, set, () => 0).map(({ element, digits, digit }) => {
    const parts = Array.from({ length: digits }, (_, d) => runPart(simulation, keys, digit(d)));
    return { element, entry: [entryStart(set), ...parts.map(({ result }) => result)] };
  });
}

/** One decryption as operator `to` sees it. */
export function decrypt(
  simulation: Simulation,
  key: SimulatedKey,
  ciphertext: Uint8Array,
  positions?: readonly number[],
  to = 1,
): Decryption & Pick<OpenedValue, 'agreeing' | 'faulty'> {
  const { opening, shares } = decryptionShares(simulation, key, ciphertext, positions);
  const { value, agreeing, faulty } = publicDecryption.open(opening, received(opening, shares, to));
  const [decryption] = publicDecryption.finish(opening, value);
  return { ...decryption, agreeing, faulty };
}
