import { corrupt } from './errors.ts';

// The files inside a backup, as POSIX tar has them (ustar), so that `age -d | tar x` opens it without
// this program. Only what backups need: plain files with short names, one after another.

const BLOCK_BYTES = 512;
const MAGIC = 'ustar\u000000';
/** Eleven octal digits. */
const MAX_BYTES = 8 ** 11 - 1;

const Field = {
  name: [0, 100],
  mode: [100, 8],
  owner: [108, 8],
  group: [116, 8],
  size: [124, 12],
  time: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
} as const;

/** A file that goes into an archive. */
export interface ArchivedFile {
  readonly name: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Uint8Array>;
}

/** The archive of some files, piece by piece. */
export async function* writeArchive(
  files: Iterable<ArchivedFile> | AsyncIterable<ArchivedFile>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const { name, bytes, content } of files) {
    yield headerOf(name, bytes);
    yield* content;
    yield Buffer.alloc(paddingOf(bytes));
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

/**
 * The files of an archive, in its order. Each one's content is to be read before the next is asked for;
 * what is left of it is skipped.
 *
 * @throws BackupError CORRUPT for anything else than `writeArchive` makes
 */
export async function* readArchive(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<ArchivedFile, void, undefined> {
  const source = new Source(chunks);
  for (;;) {
    const header = await source.take(BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) break;
    const { name, bytes } = parseHeader(header);
    const content = source.stream(bytes);
    yield { name, bytes, content };
    for await (const rest of content) void rest;
    await source.take(paddingOf(bytes));
  }
  await source.take(BLOCK_BYTES);
  if (!(await source.isOver())) throw corrupt('something follows its end');
}

const paddingOf = (bytes: number): number => -bytes & (BLOCK_BYTES - 1);

function headerOf(name: string, bytes: number): Uint8Array {
  if (name.length >= Field.name[1] || bytes > MAX_BYTES)
    throw corrupt(`"${name}" does not fit into it`);
  const header = Buffer.alloc(BLOCK_BYTES);
  const put = ([at]: readonly [number, number], text: string): void =>
    void header.write(text, at, 'latin1');
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  put(Field.name, name);
  put(Field.mode, octal(0o600, 7));
  put(Field.owner, octal(0, 7));
  put(Field.group, octal(0, 7));
  put(Field.size, octal(bytes, 11));
  put(Field.time, octal(0, 11));
  put(Field.type, '0');
  put(Field.magic, MAGIC);
  put(Field.checksum, `${octal(checksumOf(header), 6)}\u0000 `);
  return header;
}

function parseHeader(header: Buffer): { name: string; bytes: number } {
  const text = ([at, length]: readonly [number, number]): string =>
    header.toString('latin1', at, at + length).replace(/\u0000.*$/su, '');
  const bytes = parseInt(text(Field.size), 8);
  const isFile = text(Field.type) === '0' && header.toString('latin1', 257, 265) === MAGIC;
  if (
    !isFile ||
    !Number.isSafeInteger(bytes) ||
    parseInt(text(Field.checksum), 8) !== checksumOf(header)
  )
    throw corrupt('it is no archive');
  return { name: text(Field.name), bytes };
}

/** Sum of all bytes of a header, those of the sum itself as spaces. */
function checksumOf(header: Uint8Array): number {
  const [at, length] = Field.checksum;
  return header.reduce(
    (sum, byte, place) => sum + (place >= at && place < at + length ? 0x20 : byte),
    0,
  );
}

/** Bytes that come in pieces of any size. */
class Source {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** So many bytes, few enough to be held. */
  async take(bytes: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.stream(bytes)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** So many bytes, piece by piece; those that are not read stay. */
  stream(bytes: number): AsyncGenerator<Uint8Array, void, undefined> {
    let left = bytes;
    const pull = async (): Promise<Uint8Array | undefined> => {
      if (left === 0) return undefined;
      if (this.#held.length === 0 && !(await this.#fill())) throw corrupt('it is cut off');
      const piece = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(piece.length);
      left -= piece.length;
      return piece;
    };
    return pieces(pull);
  }

  async isOver(): Promise<boolean> {
    return this.#held.length === 0 && !(await this.#fill());
  }

  async #fill(): Promise<boolean> {
    for (;;) {
      const next = await this.#chunks.next();
      if (next.done === true) return false;
      const { buffer, byteOffset, length } = next.value;
      if (length === 0) continue;
      this.#held = Buffer.from(buffer, byteOffset, length);
      return true;
    }
  }
}

async function* pieces(
  pull: () => Promise<Uint8Array | undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let piece = await pull(); piece !== undefined; piece = await pull()) yield piece;
}
