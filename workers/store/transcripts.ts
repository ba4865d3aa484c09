import { hash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytesToHex, hexToBytes, type Hex } from 'viem';
import type { SignedRoot } from '../protocols/evidence.ts';
import type { RnsVector } from '../ring/basis.ts';
import type { OpeningShape } from '../sharing/opening.ts';
import { Disk } from './disk.ts';
import { clearIncoming, isMissing } from './files.ts';
import { canonicalHex32 } from './hex.ts';

/** A share as the operator that gave it signed it: `signature` is over its `ShareCommitment`. */
export interface TranscriptShare extends SignedRoot {
  readonly epochId: Hex;
  readonly shape: OpeningShape;
  readonly residues: RnsVector;
}

/** Of which opening shares are held, by operator index. */
export interface TranscriptEntry {
  readonly epochId: Hex;
  /** Ascending. */
  readonly indices: readonly number[];
}

/** What an operator signed for its share of an opening, as held. */
export interface HeldRoot extends SignedRoot {
  readonly epochId: Hex;
  readonly index: number;
}

/** Room for transcripts unless the operator says otherwise: 64 GiB. */
export const defaultTranscriptBytes = 64 * 2 ** 30;

/** Transcripts are dropped a part at a time, and these are the parts that all the room has. */
const PARTS = 64;
/** What a file or folder takes at least. */
const BLOCK_BYTES = 4096;
/** Openings whose part is remembered. */
const MAX_KNOWN = 4096;

const EPOCH_BYTES = 32;
const ROOT_BYTES = 32;
const SIGNATURE_BYTES = 65;
/** What is signed, and by whom: the beginning of a file. */
const SIGNED_BYTES = EPOCH_BYTES + ROOT_BYTES + SIGNATURE_BYTES;
const DIGEST_BYTES = 32;
const HEADER_BYTES = 8;

/**
 * Signed shares of every opening, by opening and operator: what anybody may replay it with.
 *
 * One file per share, in a folder per opening, in numbered parts; when all parts together have more
 * than `maxBytes`, late shares of earlier parts included, the oldest is dropped. Nothing else ever
 * erases a share.
 *
 * A file gets its name after its bytes were written, so a killed process leaves no part of one. It is
 * not forced to the disk: there are n files per opening and hundreds of openings in a key, the own
 * share can be computed again bit for bit, and the others' are held by their signers. What a power
 * cut damages is found by its checksum and taken to be missing.
 */
export class Transcripts {
  readonly #directory: string;
  readonly #disk: Disk;
  readonly #maxBytes: number;
  /** Bytes of each part by its number, in ascending order; the last one is written to. */
  readonly #parts = new Map<number, number>();
  /** Parts of the latest openings. */
  readonly #known = new Map<Hex, number>();
  /** Latest writing of each share that is being written. */
  readonly #writing = new Map<string, Promise<unknown>>();

  private constructor(directory: string, maxBytes: number, disk: Disk) {
    this.#directory = directory;
    this.#disk = disk;
    this.#maxBytes = maxBytes;
  }

  /**
   * Opens the transcripts of a data directory and clears what a crash left half-written.
   *
   * @throws StoreError DISK_FULL, DISK_FAILED
   */
  static async open(
    directory: string,
    maxBytes = defaultTranscriptBytes,
    disk = new Disk(),
  ): Promise<Transcripts> {
    const transcripts = new Transcripts(directory, maxBytes, disk);
    await disk.write('transcripts', directory, () => transcripts.#load());
    return transcripts;
  }

  async #load(): Promise<void> {
    await clearIncoming(this.#incoming());
    const names = await readdir(this.#directory);
    const numbers = names.filter((name) => /^\d+$/.test(name)).map(Number);
    for (const number of numbers.sort((a, b) => a - b))
      this.#parts.set(number, await this.#measure(number));
    if (this.#parts.size === 0) await this.#begin(0);
    await this.#evict();
  }

  /**
   * Keeps a share. The first one of an operator in an opening stays, unless it is damaged.
   *
   * @returns what the operator signed for the one that is held now: for another share than this one,
   * if it has given two
   * @throws StoreError DISK_FULL, DISK_FAILED
   */
  async put(openingId: Hex, index: number, share: TranscriptShare): Promise<SignedRoot> {
    const opening = canonicalHex32(openingId, 'openingId');
    // One after the other: of two that come at the same time one is the first.
    const key = `${opening}/${index}`;
    const turn = (this.#writing.get(key) ?? Promise.resolve())
      .catch(() => undefined)
      .then(() =>
        this.#disk.write('transcripts', this.#directory, () => this.#put(opening, index, share)),
      );
    this.#writing.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#writing.get(key) === turn) this.#writing.delete(key);
    }
  }

  async #put(opening: Hex, index: number, share: TranscriptShare): Promise<SignedRoot> {
    const { root, signature } = share;
    const held = await this.get(opening, index);
    if (held !== undefined) return { root: held.root, signature: held.signature };
    const part = (await this.#find(opening)) ?? (await this.#current());
    this.#remember(opening, part);
    const path = this.#path(part, opening, index);
    const temporary = join(this.#incoming(), randomUUID());
    const bytes = encode(share);
    // What was noted of a part that is finished is not true any more.
    if (part !== this.#last()) await rm(this.#note(part), { force: true });
    try {
      await writeFile(temporary, bytes, { flag: 'wx', mode: 0o600 });
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      if (isMissing(error) && !this.#parts.has(part)) return { root, signature };
      throw error;
    }
    // The part may have been dropped meanwhile, being the oldest; then this share goes as well.
    if (!this.#parts.has(part)) {
      await rm(this.#partFolder(part), { recursive: true, force: true });
      return { root, signature };
    }
    this.#count(part, blocks(bytes.length));
    await this.#evict();
    return { root, signature };
  }

  /** What is held of an opening, or undefined. */
  async list(openingId: Hex): Promise<TranscriptEntry | undefined> {
    const opening = canonicalHex32(openingId, 'openingId');
    const part = await this.#find(opening);
    if (part === undefined) return undefined;
    const names = await unlessMissing(readdir(this.#folder(part, opening)));
    const indices = (names ?? []).map(Number).sort((a, b) => a - b);
    for (const index of indices) {
      const share = await this.get(opening, index);
      if (share !== undefined) return { epochId: share.epochId, indices };
    }
    return undefined;
  }

  /**
   * What operators signed for their shares of an opening, ascending by index. The shares are not read,
   * so a power cut may have damaged what is returned; then the signature does not check.
   */
  async roots(openingId: Hex): Promise<HeldRoot[]> {
    const opening = canonicalHex32(openingId, 'openingId');
    const part = await this.#find(opening);
    if (part === undefined) return [];
    const names = (await unlessMissing(readdir(this.#folder(part, opening)))) ?? [];
    const held: HeldRoot[] = [];
    for (const index of names.map(Number).sort((a, b) => a - b)) {
      const bytes = await unlessMissing(readStart(this.#path(part, opening, index), SIGNED_BYTES));
      if (bytes?.length === SIGNED_BYTES) held.push({ index, ...decodeSigned(bytes) });
    }
    return held;
  }

  /** A share, or undefined if it is not held; a damaged one is removed and is not. */
  async get(openingId: Hex, index: number): Promise<TranscriptShare | undefined> {
    const opening = canonicalHex32(openingId, 'openingId');
    const part = await this.#find(opening);
    if (part === undefined) return undefined;
    const path = this.#path(part, opening, index);
    const bytes = await unlessMissing(readFile(path));
    if (bytes === undefined) return undefined;
    const share = decode(bytes);
    if (share === undefined) {
      await rm(path, { force: true });
      this.#count(part, -blocks(bytes.length));
    }
    return share;
  }

  #last(): number {
    return [...this.#parts.keys()].at(-1);
  }

  #count(part: number, bytes: number): void {
    const counted = this.#parts.get(part);
    if (counted !== undefined) this.#parts.set(part, counted + bytes);
  }

  /** The part that new openings go to; begins one when it is time. */
  async #current(): Promise<number> {
    const last = this.#last();
    if (this.#parts.get(last)! < this.#maxBytes / PARTS) return last;
    // Entered before anything is awaited: others come here meanwhile.
    this.#parts.set(last + 1, 0);
    await writeFile(this.#note(last), String(this.#parts.get(last)));
    await this.#begin(last + 1);
    return last + 1;
  }

  /** Drops the oldest parts while there is more than the room; the last one, a small part of it, stays. */
  async #evict(): Promise<void> {
    for (const [oldest] of this.#parts) {
      const total = [...this.#parts.values()].reduce((sum, bytes) => sum + bytes, 0);
      if (total <= this.#maxBytes || this.#parts.size === 1) return;
      this.#parts.delete(oldest);
      for (const [opening, part] of this.#known) if (part === oldest) this.#known.delete(opening);
      await rm(this.#partFolder(oldest), { recursive: true, force: true });
    }
  }

  async #begin(part: number): Promise<void> {
    this.#parts.set(part, this.#parts.get(part) ?? 0);
    await mkdir(this.#partFolder(part), { recursive: true, mode: 0o700 });
  }

  /** Bytes of a part: as noted when it was finished, unless it has grown since; else counted. */
  async #measure(part: number): Promise<number> {
    const noted = await unlessMissing(readFile(this.#note(part), 'utf8'));
    if (noted !== undefined && /^\d+$/.test(noted)) return Number(noted);
    let bytes = 0;
    for (const entry of await readdir(this.#partFolder(part), { recursive: true })) {
      const found = await stat(join(this.#partFolder(part), entry));
      if (found.isFile()) bytes += blocks(found.size);
    }
    return bytes;
  }

  async #find(opening: Hex): Promise<number | undefined> {
    const known = this.#known.get(opening);
    if (known !== undefined) return known;
    for (const part of [...this.#parts.keys()].reverse()) {
      if (!(await exists(this.#folder(part, opening)))) continue;
      this.#remember(opening, part);
      return part;
    }
    return undefined;
  }

  #remember(opening: Hex, part: number): void {
    this.#known.delete(opening);
    this.#known.set(opening, part);
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!);
  }

  #incoming(): string {
    return join(this.#directory, 'incoming');
  }

  #partFolder(part: number): string {
    return join(this.#directory, String(part));
  }

  #note(part: number): string {
    return join(this.#partFolder(part), 'bytes');
  }

  #folder(part: number, opening: Hex): string {
    return join(this.#partFolder(part), opening.slice(2));
  }

  #path(part: number, opening: Hex, index: number): string {
    return join(this.#folder(part, opening), String(index));
  }
}

/**
 * A share's file: epochId[32] ‖ root[32] ‖ signature[65] ‖ u16 limbs ‖ u16 polynomials ‖ u32 width ‖
 * u64 per prime ‖ u64 per residue ‖ sha256 of all before.
 */
function encode({ epochId, root, signature, shape, residues }: TranscriptShare): Uint8Array {
  const { primes, width, polynomials } = shape;
  const header = Buffer.alloc(HEADER_BYTES + 8 * primes.length);
  header.writeUInt16LE(primes.length, 0);
  header.writeUInt16LE(polynomials, 2);
  header.writeUInt32LE(width, 4);
  primes.forEach((prime, at) => header.writeBigUInt64LE(prime, HEADER_BYTES + 8 * at));
  const { buffer, byteOffset, byteLength } = residues;
  const content = Buffer.concat([
    hexToBytes(epochId),
    hexToBytes(root),
    hexToBytes(signature),
    header,
    new Uint8Array(buffer, byteOffset, byteLength),
  ]);
  return Buffer.concat([content, hash('sha256', content, 'buffer')]);
}

/** Undefined for bytes that are not a whole, undamaged file of this version. */
function decode(bytes: Buffer): TranscriptShare | undefined {
  const end = bytes.length - DIGEST_BYTES;
  if (end < SIGNED_BYTES + HEADER_BYTES) return undefined;
  if (!hash('sha256', bytes.subarray(0, end), 'buffer').equals(bytes.subarray(end)))
    return undefined;
  const header = bytes.subarray(SIGNED_BYTES, end);
  const limbs = header.readUInt16LE(0);
  const shape = { width: header.readUInt32LE(4), polynomials: header.readUInt16LE(2) };
  const start = HEADER_BYTES + 8 * limbs;
  // The checksum holds, so this differs only in a file of an earlier version.
  if (header.length !== start + 8 * limbs * shape.width * shape.polynomials) return undefined;
  const primes = Array.from({ length: limbs }, (_, at) =>
    header.readBigUInt64LE(HEADER_BYTES + 8 * at),
  );
  const residues: RnsVector = new BigUint64Array((header.length - start) / 8);
  new Uint8Array(residues.buffer).set(header.subarray(start));
  return { ...decodeSigned(bytes), shape: { primes, ...shape }, residues };
}

function decodeSigned(bytes: Buffer): SignedRoot & { readonly epochId: Hex } {
  const root = bytes.subarray(EPOCH_BYTES, EPOCH_BYTES + ROOT_BYTES);
  return {
    epochId: bytesToHex(bytes.subarray(0, EPOCH_BYTES)),
    root: bytesToHex(root),
    signature: bytesToHex(bytes.subarray(EPOCH_BYTES + ROOT_BYTES, SIGNED_BYTES)),
  };
}

/** The first bytes of a file; fewer if it has not as many. */
async function readStart(path: string, length: number): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Bytes on the disk of a file of `size` bytes. */
const blocks = (size: number): number => Math.ceil((size + 1) / BLOCK_BYTES) * BLOCK_BYTES;

async function exists(path: string): Promise<boolean> {
  return (await unlessMissing(stat(path))) !== undefined;
}

/** What `work` comes to, or undefined where the file it reads is missing. */
async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
