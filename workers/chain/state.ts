import type { Address, Hex } from 'viem';

import type { PowersState } from '../ceremony/state.ts';
import type { Origin } from '../proofs/origins.ts';

/** Fields that every entity of the state has. */
interface Seen {
  /** Height of the block whose event made the entity what is asked of operators. */
  readonly height: bigint;
}

/** The contracts that take requests. */
export type RequestContract =
  'keyManager' | 'evaluationKeyManager' | 'crsManager' | 'decryptionGateway';

/** An operator in the registry. */
export interface OperatorEntry extends Seen {
  readonly operator: Address;
  readonly signer: Address;
  /** libp2p peer id as multihash bytes. */
  readonly peerId: Hex;
  readonly multiaddr: string;
  readonly endpoint: string;
  readonly state: 'bonded' | 'unbonding' | 'withdrawn';
  /** Slashed: it never takes a seat again. It keeps those it has. */
  readonly removed: boolean;
}

export type EpochPhase = 'proposed' | 'frozen' | 'active' | 'retired' | 'abandoned';

/** A proposed committee and its set-up. The committee index of a member is its position plus one. */
export interface ProposalEntry extends Seen {
  readonly proposalId: Hex;
  readonly operators: readonly Address[];
  readonly signers: readonly Address[];
  /** Of the operators, as registered when they were proposed; undefined for one that was not. */
  readonly peerIds: readonly (Hex | undefined)[];
  /** Timestamp in seconds. */
  readonly deadline: bigint;
  readonly phase: EpochPhase;
  /** Dealing root by dealer's index. */
  readonly roots: ReadonlyMap<number, Hex>;
  /** By member's index: the dealers it acknowledged, as a bitmap. */
  readonly acknowledgements: ReadonlyMap<number, bigint>;
  /** The epoch it became, once frozen. */
  readonly epochId: Hex | undefined;
}

/** A committee with a frozen set-up. */
export interface EpochEntry extends Seen {
  readonly epochId: Hex;
  readonly proposalId: Hex;
  readonly setupDigest: Hex;
  /** Indices of the dealers whose dealings count, ascending. */
  readonly standing: readonly number[];
  readonly operators: readonly Address[];
  readonly signers: readonly Address[];
  /** As in the proposal: no later event changes whom a committee talks to. */
  readonly peerIds: readonly (Hex | undefined)[];
  /** Roots of the standing dealers by index. */
  readonly roots: ReadonlyMap<number, Hex>;
  /** Indices of the members that confirmed. */
  readonly confirmations: ReadonlySet<number>;
  readonly phase: Exclude<EpochPhase, 'proposed'>;
}

/** A parameter set. Arrays of four are indexed by t-1. */
export interface ParameterSetEntry extends Seen {
  readonly parameterSetId: Hex;
  readonly name: string;
  readonly degree: number;
  readonly plainModulus: bigint;
  readonly primes: readonly bigint[];
  readonly decryptionLimbs: readonly number[];
  readonly floodBits: readonly number[];
  readonly maxNoiseBits: readonly number[];
  /** Statistical security of decryption in bits; a key's meter follows from it. */
  readonly lambda: number;
}

/** A key; `height` is that of its latest request. */
export interface KeyEntry extends Seen {
  readonly keyId: Hex;
  readonly epochId: Hex;
  readonly parameterSetId: Hex;
  readonly requester: Address;
  /** Timestamp in seconds until which it can be recorded. */
  readonly deadline: bigint;
  /** Expired is what was not recorded in time and has been refunded. */
  readonly state: 'pending' | 'expired' | 'active' | 'retired';
  /** SHA-256 of the public key, once recorded. */
  readonly digest: Hex | undefined;
}

/** In the order of their numbers on chain, from 1. */
const evaluationKeyKinds = ['relinearization', 'galois', 'switching'] as const;

export type EvaluationKeyKind = (typeof evaluationKeyKinds)[number];

/** A request for evaluation keys; `height` is that of its latest making. */
export interface EvaluationKeyEntry extends Seen {
  readonly requestId: Hex;
  readonly epochId: Hex;
  /** For a switching key the one that ciphertexts come from. */
  readonly keyId: Hex;
  readonly kind: EvaluationKeyKind;
  /** The key that ciphertexts are switched to, for a switching key. */
  readonly targetKeyId: Hex | undefined;
  /** Galois elements, ascending; empty for the other kinds. */
  readonly elements: readonly number[];
  readonly requester: Address;
  /** Timestamp in seconds until which they can be recorded. */
  readonly deadline: bigint;
  readonly state: 'pending' | 'expired' | 'recorded';
  /** SHA-256 of each entry, one after another, once recorded. */
  readonly digests: Hex | undefined;
}

/** A contribution that 2t+1 operators have checked, as it is on chain. */
export interface ContributionEntry {
  /** Committee index of the contributor; 0 for the beacon. */
  readonly index: number;
  /** What it came to. */
  readonly next: PowersState;
}

/** A powers-of-tau ceremony; `height` is that of its request's latest making. */
export interface CeremonyEntry extends Seen {
  readonly requestId: Hex;
  readonly epochId: Hex;
  /** The string has 2^power powers. */
  readonly power: number;
  readonly slotSeconds: number;
  /** How often the beacon is hashed, as a power of two; 0 for no beacon. */
  readonly beaconIterationsExp: number;
  readonly requester: Address;
  /** Timestamp in seconds until which it can be finished. */
  readonly deadline: bigint;
  /** Revoked is what was recorded and turned out to have a wrong contribution. */
  readonly state: 'pending' | 'expired' | 'recorded' | 'revoked';
  /** Oldest first; each builds on the one before. */
  readonly contributions: readonly ContributionEntry[];
  /** Hash of the last contribution's state, once recorded. */
  readonly result: Hex | undefined;
}

/** A registered ciphertext. */
export interface CiphertextEntry extends Seen {
  readonly handle: Hex;
  readonly keyId: Hex;
  readonly digest: Hex;
  readonly limbs: number;
  readonly noiseBits: number;
  readonly owner: Address;
  /** Why it may be decrypted. */
  readonly origin: Origin;
  /** SHA-256 of its proof; undefined for one that is vouched for. */
  readonly proofDigest: Hex | undefined;
  /** The ciphertext under another key that it was switched from, if a registrar says so. */
  readonly source: Hex | undefined;
}

/** A public decryption request; `height` is that of its latest making. */
export interface RequestEntry extends Seen {
  readonly requestId: Hex;
  readonly epochId: Hex;
  readonly keyId: Hex;
  readonly handles: readonly Hex[];
  /** Empty for all coefficients. */
  readonly positions: readonly number[];
  readonly requester: Address;
  /** Timestamp in seconds until which it can be answered. */
  readonly deadline: bigint;
  readonly state: 'pending' | 'expired' | 'answered';
  /** The recorded result, once answered. */
  readonly result: Hex | undefined;
}

/** A request to re-encrypt ciphertexts to a user's key; `height` is that of its latest making. */
export interface UserDecryptionEntry extends Seen {
  readonly requestId: Hex;
  readonly epochId: Hex;
  readonly keyId: Hex;
  readonly handles: readonly Hex[];
  /** Whether coefficient 0 of all ciphertexts goes into one answer; otherwise each has its own. */
  readonly packed: boolean;
  readonly user: Address;
  /** SHA-256 of the user's public key. */
  readonly publicKeyDigest: Hex;
  readonly requester: Address;
  /** Timestamp in seconds until which it can be answered. */
  readonly deadline: bigint;
  readonly state: 'pending' | 'expired' | 'answered';
  /** SHA-256 of each answer, one after another, once answered. */
  readonly result: Hex | undefined;
}

/** A request of any kind whose fee is in escrow: neither settled nor refunded. */
export interface EscrowEntry extends Seen {
  /** Of a key the key's id. */
  readonly requestId: Hex;
  readonly contract: RequestContract;
  readonly epochId: Hex;
  /** Timestamp in seconds until which it can be answered. */
  readonly deadline: bigint;
  /** Undefined until it is answered. */
  readonly answer: RecordedAnswer | undefined;
}

/** What was recorded as a request's result, as far as its fee goes. */
export interface RecordedAnswer {
  /** Keccak-256 of the result. */
  readonly resultHash: Hex;
  /** Bitmap of who signed it or attested to it. */
  readonly signers: bigint;
}

/**
 * What the gateway's confirmed logs say, folded by `apply`.
 *
 * The maps change; an entry in them never does, it is replaced. So a reader may hold an entry.
 * Operators are keyed by lower-case address, everything else by its id.
 */
export interface GatewayState {
  readonly operators: Map<Address, OperatorEntry>;
  readonly proposals: Map<Hex, ProposalEntry>;
  readonly epochs: Map<Hex, EpochEntry>;
  readonly parameterSets: Map<Hex, ParameterSetEntry>;
  readonly keys: Map<Hex, KeyEntry>;
  readonly evaluationKeys: Map<Hex, EvaluationKeyEntry>;
  readonly ceremonies: Map<Hex, CeremonyEntry>;
  readonly ciphertexts: Map<Hex, CiphertextEntry>;
  readonly requests: Map<Hex, RequestEntry>;
  readonly userDecryptions: Map<Hex, UserDecryptionEntry>;
  /** Bounded by what is not settled, unlike the others, which keep everything. */
  readonly escrowed: Map<Hex, EscrowEntry>;
}

/** The state before the first log. */
export function emptyState(): GatewayState {
  return {
    operators: new Map(),
    proposals: new Map(),
    epochs: new Map(),
    parameterSets: new Map(),
    keys: new Map(),
    evaluationKeys: new Map(),
    ceremonies: new Map(),
    ciphertexts: new Map(),
    requests: new Map(),
    userDecryptions: new Map(),
    escrowed: new Map(),
  };
}

/** What an id asks for: a key, evaluation keys, a ceremony or a decryption; undefined if it is not known. */
export function requestedAs(
  { keys, evaluationKeys, ceremonies, requests, userDecryptions }: GatewayState,
  id: Hex,
): KeyEntry | EvaluationKeyEntry | CeremonyEntry | RequestEntry | UserDecryptionEntry | undefined {
  return (
    keys.get(id) ??
    evaluationKeys.get(id) ??
    ceremonies.get(id) ??
    requests.get(id) ??
    userDecryptions.get(id)
  );
}

/** Key of an operator in `GatewayState.operators`. */
export function operatorKey(operator: Address): Address {
  return operator.toLowerCase() as Address;
}

/** The number that a kind of evaluation keys has on chain. */
export function numberOfKind(kind: EvaluationKeyKind): number {
  return evaluationKeyKinds.indexOf(kind) + 1;
}

/** The kind of evaluation keys of this number, or undefined if there is none. */
export function evaluationKeyKindOf(number: number): EvaluationKeyKind | undefined {
  return evaluationKeyKinds[number - 1];
}

/** Committee indices whose bits are set, ascending: bit i-1 stands for index i. */
export function indicesOf(bitmap: bigint): number[] {
  const indices: number[] = [];
  for (let index = 1; bitmap >> BigInt(index - 1) > 0n; index++) {
    if ((bitmap >> BigInt(index - 1)) & 1n) indices.push(index);
  }
  return indices;
}
