import { createHash } from 'node:crypto';
import { bytesToHex, concat, size, sliceHex, type Hex } from 'viem';

import { ciphertextLength, firstLimbs } from '../../../workers/fhe/ciphertext.ts';
import { entryStart } from '../../../workers/fhe/evaluation-keys.ts';
import {
  entriesOf,
  type EvaluationKeyRequest,
} from '../../../workers/protocols/evaluation-keys.ts';
import { publicKey } from '../../../workers/protocols/key-generation.ts';
import type { Part, Session } from '../../../workers/protocols/opening.ts';
import { openedTogether, publicDecryption } from '../../../workers/protocols/public-decryption.ts';
import {
  parseRecipient,
  prepare,
  userDecryption,
  type DecryptionInput,
} from '../../../workers/protocols/user-decryption.ts';
import type { ParameterSet } from '../../../workers/ring/parameters.ts';
import type { Inputs } from './inputs.ts';

/** What a committee was asked for, by content. */
export type Asked =
  | { readonly kind: 'public-key'; readonly keyId: Hex }
  | EvaluationKeyRequest
  | { readonly kind: 'ceremony'; readonly ceremonyId: Hex }
  | {
      readonly kind: 'public-decryption';
      readonly keyId: Hex;
      readonly handles: readonly Hex[];
      /** None means all. */
      readonly positions: readonly number[];
    }
  | {
      readonly kind: 'user-decryption';
      readonly keyId: Hex;
      readonly handles: readonly Hex[];
      readonly packed: boolean;
      readonly publicKeyDigest: Hex;
    };

/** Runs a part on whatever openings there are. */
export type Run = <Result>(part: Part<Result>) => Promise<Result>;

/** A piece of a result that can be replayed by itself. */
export interface AuditItem {
  /** For people: which piece it is. */
  readonly what: string;
  /** Bytes of it in the recorded result. */
  readonly length: number;
  /** Parts that it takes. */
  readonly parts: number;
  /** The piece as it follows from what `run` opens. */
  readonly replay: (run: Run) => Promise<Hex>;
}

/** What the inputs of a request are read with. */
export interface Sources {
  /** SHA-256 of a ciphertext by its handle. */
  readonly digestOf: (handle: Hex) => Promise<Hex>;
  readonly inputs: Inputs;
}

/** Keys have the shares that they were generated with: none has moved to another committee yet. */
const GENERATION = 0;
const DIGEST_BYTES = 32;
const VALUE_BYTES = 8;

/** The pieces of a result in their order. See docs/formats.md, Results. */
export function itemsOf(
  session: Session,
  asked: Exclude<Asked, { kind: 'ceremony' }>,
  set: ParameterSet,
  sources: Sources,
): AuditItem[] {
  switch (asked.kind) {
    case 'public-key':
      return [
        {
          what: 'public key',
          length: DIGEST_BYTES,
          parts: 1,
          replay: async (run) =>
            (await run(publicKey(session, { keyId: asked.keyId, set }))).digest,
        },
      ];
    case 'relinearization':
    case 'galois':
    case 'switching':
      return entriesOf(session, asked, set, () => GENERATION).map((entry) => ({
        what: entry.element === 0 ? `${asked.kind} key` : `Galois key of element ${entry.element}`,
        length: DIGEST_BYTES,
        parts: entry.digits,
        async replay(run) {
          // Hashed as it grows: an entry has up to 19 MB.
          const hash = createHash('sha256').update(entryStart(set));
          for (let digit = 0; digit < entry.digits; digit++)
            hash.update(await run(entry.digit(digit)));
          return `0x${hash.digest('hex')}`;
        },
      }));
    case 'public-decryption':
      return publicItems(session, asked, set, sources);
    case 'user-decryption':
      return userItems(session, asked, set, sources);
  }
}

function publicItems(
  session: Session,
  { keyId, handles, positions }: Extract<Asked, { kind: 'public-decryption' }>,
  set: ParameterSet,
  sources: Sources,
): AuditItem[] {
  const length = positions.length === 0 ? DIGEST_BYTES : VALUE_BYTES * positions.length;
  return openedTogether(handles, positions).map((list) => ({
    what: list.length === 1 ? `ciphertext ${list[0]}` : `${list.length} ciphertexts`,
    length: length * list.length,
    parts: 1,
    async replay(run) {
      const ciphertexts: DecryptionInput[] = [];
      for (const handle of list) ciphertexts.push(await inputOf(session, set, sources, handle));
      const part = publicDecryption(session, {
        ...{ keyId, generation: GENERATION, set, ciphertexts },
        positions: positions.length === 0 ? undefined : positions,
      });
      return concat((await run(part)).map(({ result }) => bytesToHex(result)));
    },
  }));
}

function userItems(
  session: Session,
  asked: Extract<Asked, { kind: 'user-decryption' }>,
  set: ParameterSet,
  sources: Sources,
): AuditItem[] {
  const { keyId, handles, packed, publicKeyDigest } = asked;
  const answers = packed ? [handles] : handles.map((handle) => [handle]);
  return answers.map((content) => ({
    what: packed ? `answer with ${handles.length} scalars` : `answer to ciphertext ${content[0]}`,
    length: DIGEST_BYTES,
    parts: 1,
    async replay(run) {
      const longest = ciphertextLength(set, set.primes.length);
      const recipient = parseRecipient(set, await sources.inputs(publicKeyDigest, longest));
      const ciphertexts: DecryptionInput[] = [];
      for (const handle of content) ciphertexts.push(await inputOf(session, set, sources, handle));
      const part = userDecryption(session, {
        ...{ keyId, generation: GENERATION, set, ciphertexts, recipient },
        form: packed ? 'packed' : 'full',
      });
      const answer = await run(part);
      return `0x${createHash('sha256').update(answer).digest('hex')}`;
    },
  }));
}

async function inputOf(
  { committee }: Session,
  set: ParameterSet,
  { digestOf, inputs }: Sources,
  handle: Hex,
): Promise<DecryptionInput> {
  const longest = ciphertextLength(set, firstLimbs(set));
  return prepare(committee, set, await inputs(await digestOf(handle), longest));
}

/** Cuts a result into the pieces of its items; undefined if it has not their length. */
export function piecesOf(items: readonly AuditItem[], result: Hex): Hex[] | undefined {
  const total = items.reduce((sum, { length }) => sum + length, 0);
  if (size(result) !== total) return undefined;
  let start = 0;
  return items.map(({ length }) => sliceHex(result, start, (start += length)));
}
