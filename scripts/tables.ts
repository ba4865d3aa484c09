/**
 * The tables of docs/noise.md and docs/parameters.md, computed. Each stands between
 * `<!-- table: name -->` and `<!-- end -->`.
 */
import {
  committeeFigures,
  committeeSizes,
  modulusBits,
  objectSizes,
  securityLevel,
} from '../workers/fhe/figures.ts';
import { decryptionPlan } from '../workers/fhe/noise.ts';
import {
  freshNoiseBound,
  modulusOf,
  roundingNoise,
  secretBound,
} from '../workers/fhe/noise-growth.ts';
import { parameterSets, type ParameterSet } from '../workers/ring/parameters.ts';
import { committeeOf } from '../workers/sharing/committee.ts';

type Row = readonly (string | number)[];

const tables: Readonly<Record<string, () => readonly Row[]>> = {
  'parameter sets': parameterSetRows,
  plans: planRows,
  'CKKS precision': ckksRows,
};

/** A page with all its tables as they are now. Columns are not aligned: that is prettier's part. */
export function withTables(page: string): string {
  return page.replaceAll(
    /(<!-- table: ([\w ]+) -->\n\n).*?(\n\n<!-- end -->)/gs,
    (_, start: string, name: string, end: string) => {
      const [head, ...rows] = tables[name]();
      const rule = head.map(() => '---');
      return start + [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n') + end;
    },
  );
}

function parameterSetRows(): Row[] {
  const head = [
    ...['set', 'N', 'log2 q', 't', 'security', 'multiplications', 'decryption primes'],
    ...['flooding bits', 'largest committee', 'ciphertext', 'answer to a user', 'public key'],
    ...['relinearization key', 'one Galois element', 'default Galois keys', 'switching key'],
  ];
  const rows = parameterSets.map((set) => {
    const committees = committeeFigures(set);
    const sizes = objectSizes(set);
    const each = (figure: 'multiplications' | 'limbs' | 'floodBits'): string =>
      committees.map((figures) => figures[figure]).join(', ');
    const answers = committees.map(({ answer }) => bytes(answer));
    return [
      set.name,
      set.degree,
      modulusBits(set),
      set.batching ? String(set.plainModulus) : `2^${set.plainModulus.toString(2).length - 1}`,
      securityLevel(set) === 0 ? 'none' : securityLevel(set),
      each('multiplications'),
      `${each('limbs')} of ${set.primes.length - 1}`,
      each('floodBits'),
      committees.at(-1)?.n ?? 'none',
      bytes(sizes.ciphertext),
      [...new Set(answers)].join(' – '),
      bytes(sizes.publicKey),
      bytes(sizes.relinearizationKeys),
      bytes(sizes.galoisElement),
      bytes(sizes.defaultGaloisKeys),
      bytes(sizes.switchingKey),
    ];
  });
  return [head, ...rows];
}

function planRows(): Row[] {
  const head = ['parameter set', 'n', 'C', 'fresh bits', 'decryption limbs', 'B', 'limits'];
  const rows = parameterSets.flatMap((set) =>
    committeeSizes.map((n) => {
      const committee = committeeOf(n);
      const { limbs, floodBits, limits } = decryptionPlan(set, committee);
      return [
        set.name,
        n,
        committee.sets.length,
        bitLength(freshNoiseBound(set, committee)),
        limbs,
        floodBits,
        limits.map((limit) => `${limit.limbs}: ${limit.maxNoiseBits}`).join(', '),
      ];
    }),
  );
  return [head, ...rows];
}

/**
 * The most that flooding would leave of CKKS: with k multiplications, each of which divides by the
 * scale once, the scale is at most the (k+1)-th root of half the modulus.
 */
function ckksRows(): Row[] {
  const depths = [0, 1, 2, 3];
  const head = [
    ...['N', 'log2 q', 'n', 'bits of error', 'left of a scale of 2^40'],
    ...depths.map((depth) => `left, depth ${depth}`),
  ];
  const sets = ['bfv-8192-b20', 'bfv-16384-b20'].map((name) =>
    parameterSets.find((set) => set.name === name)!,
  );
  const rows = sets.flatMap((set) =>
    committeeSizes.map((n) => {
      const error = ckksErrorBits(set, n);
      const dataBits = bitLength(modulusOf(set, set.primes.length - 1)) - 1;
      const left = (scaleBits: number): string | number => Math.max(0, scaleBits - error);
      return [
        ...[set.degree, dataBits, n, error, left(40)],
        ...depths.map((depth) => left(Math.floor((dataBits - 1) / (depth + 1)))),
      ];
    }),
  );
  return [head, ...rows];
}

/** Bits of the flooding that hides the noise of one rescaling, the least there is. */
function ckksErrorBits(set: ParameterSet, n: number): number {
  const committee = committeeOf(n);
  const hidden = (roundingNoise(set, committee) * BigInt(set.degree)) << BigInt(set.lambda);
  const floodBits = bitLength(hidden - 1n);
  return bitLength((secretBound(committee) << BigInt(floodBits)) - 1n);
}

function bitLength(value: bigint): number {
  return value.toString(2).length;
}

/** Three digits are enough to plan with. */
function bytes(count: number): string {
  const [unit, size] = count < 1e6 ? ['kB', 1e3] : ['MB', 1e6];
  return `${Number((count / size).toPrecision(3))} ${unit}`;
}
