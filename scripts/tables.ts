/**
 * The tables of docs/noise.md, docs/parameters.md and docs/input-proofs.md, computed. Each stands between
 * `<!-- table: name -->` and `<!-- end -->`.
 */
import {
  committeeFigures,
  committeeSizes,
  modulusBits,
  objectSizes,
  securityLevel,
} from '../workers/fhe/figures.ts';
import {
  decryptionPlan,
  multiplicationsPossible,
  noiseOfRelinearizedSquare,
} from '../workers/fhe/noise.ts';
import {
  freshNoiseBound,
  modulusOf,
  roundingNoise,
  secretBound,
} from '../workers/fhe/noise-growth.ts';
import { kzgNoise } from '../workers/proofs/kzg/noise.ts';
import { proofLength } from '../workers/proofs/lattice/format.ts';
import { provedNoise, provedNorms } from '../workers/proofs/lattice/noise.ts';
import { latticeParameters } from '../workers/proofs/lattice/parameters.ts';
import { kzgParameters } from '../workers/proofs/kzg/parameters.ts';
import { parameterSets, type ParameterSet } from '../workers/ring/parameters.ts';
import { committeeOf, type Committee } from '../workers/sharing/committee.ts';
import measured from '../test/vectors/depths.json' with { type: 'json' };
import { isBelow } from '../test/workers/proofs/budgets.ts';

type Row = readonly (string | number)[];

/** Noise budgets by parameter set, committee size and how the ciphertext was made. */
const budgets: Record<string, Record<number, Record<string, number[]>>> = measured;

const tables: Readonly<Record<string, () => readonly Row[]>> = {
  'parameter sets': parameterSetRows,
  plans: planRows,
  'CKKS precision': ckksRows,
  'lattice proofs': latticeRows,
  'proved noise': provedNoiseRows,
  'kzg proofs': kzgRows,
  'kzg noise': kzgNoiseRows,
  depths: depthRows,
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

/** Sets whose ciphertexts can have lattice proofs. */
const provable = parameterSets.filter(({ plainModulus }) => plainModulus % 2n === 1n);

function latticeRows(): Row[] {
  const head = [
    ...['parameter set', 'R', 'log2 2N', 'soundness', 'log2 M', 'K1', 'K0', 'tries', 'proof'],
    ...['u', 'e1', 'w'].map((what) => `log2 of extracted ${what}`),
  ];
  const rows = provable.map((set) => {
    const parameters = latticeParameters(set);
    const { repetitions, exponentBits, maskBits, narrow, wide, expectedTries } = parameters;
    const { u, e1, w } = provedNorms(parameters);
    return [
      ...[set.name, repetitions, exponentBits, `2^-${repetitions * exponentBits}`],
      ...[maskBits, narrow.bits, wide.bits, expectedTries.toFixed(2)],
      ...[bytes(proofLength(parameters)), log2(u), log2(e1), log2(w)],
    ];
  });
  return [head, ...rows];
}

function provedNoiseRows(): Row[] {
  const head = [
    ...['parameter set', 'n', 'C', 'SEAL, fresh', '2c, proved', 'product of two', 'limit'],
    ...['sums', 'multiplications'],
  ];
  return [head, ...noiseRows(provable, provedNoise)];
}

function kzgRows(): Row[] {
  const head = [
    'parameter set',
    'power',
    'groups of primes',
    'limbs of w',
    'log2 wBound',
    'F',
    'proof',
  ];
  const rows = parameterSets.map((set) => {
    const { power, groups, limbs, wBound, columns, proofBytes } = kzgParameters(set);
    const sizes = groups.map(({ primes }) => primes.length).join(', ');
    return [set.name, power, sizes, limbs, bitLength(wBound) - 1, columns, `${proofBytes} B`];
  });
  return [head, ...rows];
}

function kzgNoiseRows(): Row[] {
  const head = [
    ...['parameter set', 'n', 'C', 'SEAL, fresh', 'c, proved', 'product of two', 'limit'],
    ...['sums', 'multiplications'],
  ];
  return [head, ...noiseRows(parameterSets, kzgNoise)];
}

/** What can be done with ciphertexts of a noise that is proved. */
function noiseRows(
  sets: readonly ParameterSet[],
  noiseOf: (set: ParameterSet, committee: Committee) => bigint,
): Row[] {
  return sets.flatMap((set) =>
    committeeSizes.map((n) => {
      const committee = committeeOf(n);
      const noise = noiseOf(set, committee);
      const { maxNoiseBits } = decryptionPlan(set, committee);
      const sums = (1n << BigInt(maxNoiseBits)) / noise;
      return [
        ...[set.name, n, committee.sets.length, log2(freshNoiseBound(set, committee)), log2(noise)],
        ...[log2(noiseOfRelinearizedSquare(set, committee, noise)), maxNoiseBits],
        sums === 0n ? 'none' : sums < 1000n ? String(sums) : `2^${bitLength(sums) - 1}`,
        multiplicationsPossible(set, committee, noise),
      ];
    }),
  );
}

/**
 * Multiplications that may follow one another by origin of the ciphertexts: guaranteed for all, and typical,
 * as far as the measured noise of squares stays below the limit.
 */
function depthRows(): Row[] {
  const head = [
    ...['parameter set', 'n', 'vouched, SEAL', 'typical', 'lattice', 'typical'],
    ...['kzg', 'typical'],
  ];
  const rows = parameterSets.flatMap((set) =>
    committeeSizes.map((n) => {
      const committee = committeeOf(n);
      const { maxNoiseBits } = decryptionPlan(set, committee);
      const guaranteed = (noise: bigint): number | string =>
        noise < 1n << BigInt(maxNoiseBits)
          ? multiplicationsPossible(set, committee, noise)
          : 'none';
      const typical = (made: string): number | string => {
        const { length } = budgets[set.name][n][made].filter((budget) =>
          isBelow(set, budget, maxNoiseBits),
        );
        return length === 0 ? 'none' : length - 1;
      };
      const lattice = provable.includes(set)
        ? [guaranteed(provedNoise(set, committee)), typical('lattice')]
        : ['–', '–'];
      return [
        ...[set.name, n, guaranteed(freshNoiseBound(set, committee)), typical('seal')],
        ...[...lattice, guaranteed(kzgNoise(set, committee)), typical('kzg')],
      ];
    }),
  );
  return [head, ...rows];
}

/** To one decimal, rounded up. */
function log2(x: bigint): string {
  return (Math.ceil(Math.log2(Number(x)) * 10) / 10).toFixed(1);
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
