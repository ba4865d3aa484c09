/**
 * Writes the parts of workers/kernels/assembly/curve that follow from the numbers of BN254:
 * constants.ts and products.ts. The derivations are explained in docs/curve.md.
 *
 * With `--check` nothing is written: the script fails if a committed file differs.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bn254 } from '@noble/curves/bn254.js';
import { format, resolveConfig } from 'prettier';

const folder = join(dirname(import.meta.dirname), 'workers/kernels/assembly/curve');

const x = 4965661367192848881n;
const p = 36n * x ** 4n + 36n * x ** 3n + 24n * x ** 2n + 6n * x + 1n;
const r = p - 6n * x ** 2n;
const { Fp2 } = bn254.fields;

// Numbers as digits of 51 bits in [-2^50, 2^50), the last one whatever remains.

const WIDTH = 51n;
const ROWS = 5;
/** Rows of a Montgomery reduction that use the multiple of p that is -1 modulo 2^51. */
const CHEAP_ROWS = 3;

function digits(value: bigint, count = ROWS): bigint[] {
  const result = [];
  for (let i = 1; i < count; i++) {
    const digit = BigInt.asIntN(Number(WIDTH), value);
    result.push(digit);
    value = (value - digit) >> WIDTH;
  }
  return [...result, value];
}

function bitsOf(value: number): bigint {
  return new BigUint64Array(new Float64Array([value]).buffer)[0];
}

const asDoubles = (values: bigint[]) => values.map((value) => bitsOf(Number(value)));

/** (base^exponent) mod n */
function power(base: bigint, exponent: bigint, n: bigint): bigint {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n, base = (base * base) % n) {
    if (exponent & 1n) result = (result * base) % n;
  }
  return result;
}

/** The number closest to zero that is `value` modulo n. */
function centered(value: bigint, n: bigint): bigint {
  const rest = ((value % n) + n) % n;
  return 2n * rest > n ? rest - n : rest;
}

/** n; -1/n mod 2^51; the digits from the first of the multiple of n that ends in -1; 2^204/n. */
function modulusRecord(n: bigint): bigint[] {
  const inverse = BigInt.asIntN(Number(WIDTH), -power(n, 2n ** (WIDTH - 2n) - 1n, 2n ** WIDTH));
  const [last, ...multiple] = digits(n * inverse, ROWS + 1);
  if (last !== -1n) throw new Error('the multiple of the modulus must end in -1');
  return [...asDoubles([...digits(n), inverse, ...multiple]), bitsOf(1 / (Number(n) / 2 ** 204))];
}

// Products: see docs/curve.md, "Field multiplication".

const HIGH_UNIT = bitsOf(1.5 * 2 ** 103);
const LOW_UNIT = bitsOf(1.5 * 2 ** 52);

interface Product {
  readonly name: string;
  readonly comment: string;
  readonly parameters: string;
  readonly kind: 'multiply' | 'square' | 'add' | 'subtract';
}

const products: readonly Product[] = [
  { name: 'multiply', comment: 'a·b', parameters: 'a: usize, b: usize', kind: 'multiply' },
  { name: 'square', comment: 'a²; digits of a up to 2^50', parameters: 'a: usize', kind: 'square' },
  {
    name: 'multiplyAdd',
    comment: 'a·b + c·d',
    parameters: 'a: usize, b: usize, c: usize, d: usize',
    kind: 'add',
  },
  {
    name: 'multiplySubtract',
    comment: 'a·b - c·d',
    parameters: 'a: usize, b: usize, c: usize, d: usize',
    kind: 'subtract',
  },
];

/** The text of a product, and what its columns start from. */
function productText({ name, comment, parameters, kind }: Product): {
  text: string;
  bias: bigint[];
} {
  const lines: string[] = [];
  const bias = new Array<bigint>(2 * ROWS + 1).fill(0n);
  const started = new Set<number>();
  const accumulate = (column: number, value: string, unit: bigint) => {
    bias[column] -= unit;
    const from = started.has(column) ? `t${column}` : `Lanes.constant(bias, ${column})`;
    const declare = started.has(column) ? '' : 'let ';
    started.add(column);
    lines.push(`${declare}t${column} = i64x2.add(${from}, ${value});`);
  };
  const product = (a: string, b: string, column: number, sign = '') => {
    lines.push(`high = Lanes.high${sign}(${a}, ${b}, shift);`);
    accumulate(column, `Lanes.low${sign}(${a}, ${b}, f64x2.sub(both, high))`, LOW_UNIT);
    accumulate(column + 1, 'high', HIGH_UNIT);
  };
  for (let i = 0; i < ROWS; i++) {
    lines.push('', `x = v128.load(a, ${16 * i});`);
    if (kind === 'square') {
      product('x', 'x', 2 * i);
      if (i < ROWS - 1) lines.push('x = f64x2.add(x, x);');
      for (let j = i + 1; j < ROWS; j++) {
        lines.push(`y = v128.load(a, ${16 * j});`);
        product('x', 'y', i + j);
      }
    } else {
      if (kind !== 'multiply') lines.push(`z = v128.load(c, ${16 * i});`);
      for (let j = 0; j < ROWS; j++) {
        lines.push(`y = v128.load(b, ${16 * j});`);
        product('x', 'y', i + j);
        if (kind === 'multiply') continue;
        lines.push(`y = v128.load(d, ${16 * j});`);
        product('z', 'y', i + j, kind === 'subtract' ? 'Negated' : '');
      }
    }
    lines.push(`q = Lanes.digit(t${i});`);
    const cheap = i < CHEAP_ROWS;
    if (!cheap) {
      lines.push('high = Lanes.high(q, inverse, shift);');
      lines.push('q = f64x2.sub(Lanes.low(q, inverse, f64x2.sub(both, high)), unit);');
    }
    for (let j = cheap ? 1 : 0; j < (cheap ? ROWS + 1 : ROWS); j++) {
      lines.push(`y = Lanes.constant(m, ${cheap ? j + ROWS : j});`);
      product('q', 'y', i + j);
      if (j === (cheap ? 1 : 0)) {
        lines.push(`t${i + 1} = i64x2.add(t${i + 1}, i64x2.shr_u(t${i}, 51));`);
      }
    }
  }
  lines.push('');
  for (let k = ROWS; k < 2 * ROWS - 1; k++) {
    lines.push(`v128.store(dst, Lanes.digit(t${k}), ${16 * (k - ROWS)});`);
    lines.push(`t${k + 1} = i64x2.add(t${k + 1}, i64x2.shr_u(t${k}, 51));`);
  }
  const top = 2 * ROWS - 1;
  lines.push(`v128.store(dst, f64x2.sub(t${top}, unit), ${16 * (ROWS - 1)});`);
  if (bias[top + 1] !== 0n) throw new Error('a product has ten columns');
  // Columns stay positive, which makes the shifts round down; half a unit makes digits signed.
  const positive = 2n ** 62n + 2n ** (WIDTH - 1n);
  const columns = bias.slice(0, top + 1).map((unit, k) => {
    const carried = k > 0 ? positive >> WIDTH : 0n;
    return BigInt.asUintN(64, unit + (k < top ? positive : LOW_UNIT) - carried);
  });
  const locals = ['x', 'y', 'q', 'high', ...(kind === 'add' || kind === 'subtract' ? ['z'] : [])];
  const text = [
    `/** dst = (${comment})·2^-255 modulo the modulus m. */`,
    `export function ${name}(dst: usize, ${parameters}, m: usize): void {`,
    ...[
      `const bias = Constants.${name}Bias;`,
      'const shift = Lanes.constant(Constants.magic, 0);',
      'const both = Lanes.constant(Constants.magic, 1);',
      'const unit = Lanes.constant(Constants.magic, 2);',
      'const inverse = Lanes.constant(m, 5);',
      ...locals.map((local) => `let ${local}: v128;`),
      ...lines,
    ].map((line) => (line === '' ? '' : `  ${line}`)),
    '}',
  ].join('\n');
  return { text, bias: columns };
}

// Endomorphisms: see docs/curve.md, "Scalar multiplication".

/** The coordinate of λ·(1, 2): then (x, y) → (βx, y) multiplies by λ. */
const lambda = 36n * x ** 3n + 18n * x ** 2n + 6n * x + 1n;
const beta = bn254.G1.Point.BASE.multiply(lambda).toAffine().x;

/** Short vectors (a, b) with a + bλ = 0 mod r: two neighbouring steps of Euclid's algorithm. */
function glvBasis(): bigint[][] {
  let [a, b] = [
    [r, 0n],
    [lambda, 1n],
  ];
  while (b[0] ** 2n > r) {
    const quotient = a[0] / b[0];
    [a, b] = [b, [a[0] - quotient * b[0], a[1] - quotient * b[1]]];
  }
  return [a, b].map(([rest, factor]) => [rest, -factor]);
}

/** (x+1) + xψ + xψ² - 2xψ³ = 0 on the subgroup, times powers of ψ with ψ⁴ = ψ² - 1. */
function glsBasis(): bigint[][] {
  const rows = [[x + 1n, x, x, -2n * x]];
  for (let i = 1; i < 4; i++) {
    const [a, b, c, d] = rows[i - 1];
    rows.push([-d, a, b + d, c]);
  }
  return rows;
}

function determinant(matrix: bigint[][]): bigint {
  if (matrix.length === 0) return 1n;
  return matrix[0].reduce((sum, value, column) => {
    const minor = matrix.slice(1).map((row) => row.filter((_, other) => other !== column));
    return sum + (column % 2 === 0 ? value : -value) * determinant(minor);
  }, 0n);
}

const words = (value: bigint, limbs = 5) =>
  Array.from({ length: limbs }, (_, i) => BigInt.asUintN(32, value >> BigInt(32 * i)));

/**
 * A lattice for the kernel: per row the factor round(2^256·c), then the row, where k = Σ c·row;
 * then per pattern of odd entries (bit j: entry j is odd) which rows to subtract to make all odd.
 */
function latticeRecord(basis: bigint[][]): bigint[] {
  const size = basis.length;
  const det = determinant(basis);
  const rows = basis.map((row, i) => {
    // Cramer's rule for (1, 0, …) = Σ c·row: row i replaced by (1, 0, …).
    const cofactor = determinant(
      basis.map((other, k) => (k === i ? other.map((_, j) => (j === 0 ? 1n : 0n)) : other)),
    );
    const sign = cofactor * det < 0n ? -1n : 1n;
    const ratio = (2n ** 257n * sign * cofactor) / det;
    return { factor: (ratio + 1n) >> 1n, row: row.map((value) => sign * value) };
  });
  const masks = new Map<number, number>();
  for (let mask = 0; mask < 2 ** size; mask++) {
    const flips = rows[0].row.map((_, j) =>
      rows.reduce((sum, { row }, i) => (mask & (1 << i) ? sum ^ (row[j] & 1n) : sum), 0n),
    );
    // Entries that are odd stay so, those that are even change.
    masks.set(
      flips.reduce((pattern, flip, j) => pattern | (flip === 1n ? 0 : 1 << j), 0),
      mask,
    );
  }
  return [
    ...rows.flatMap(({ factor, row }) => [
      ...words(factor, 7),
      ...row.flatMap((value) => words(value)),
    ]),
    ...Array.from({ length: 2 ** size }, (_, pattern) => BigInt(masks.get(pattern) ?? -1)),
  ];
}

/** Signed bits of n without two neighbours, from the top: 1, 0 or 2 for -1. */
function signedBits(n: bigint): bigint[] {
  const result = [];
  for (; n > 0n; n >>= 1n) {
    const bit = n & 1n ? 2n - (n & 3n) : 0n;
    result.unshift(bit < 0n ? 2n : bit);
    n -= bit;
  }
  return result;
}

/** A coordinate as the kernel holds it: times 2^255. */
const element = (value: bigint, n = p) => asDoubles(digits(centered(value << 255n, n)));
const plain = (value: bigint, n = p) => asDoubles(digits(centered(value, n)));
const element2 = (value: typeof Fp2.ONE) => {
  const { re, im } = Fp2.reim(value);
  return [...element(re), ...element(im)];
};

const xi = Fp2.fromBigTuple([9n, 1n]);
const texts = products.map(productText);

const constants: [name: string, comment: string, values: bigint[]][] = [
  ...products.map(({ name }, i): [string, string, bigint[]] => [
    `${name}Bias`,
    'What the columns of the product start from.',
    texts[i].bias,
  ]),
  [
    'magic',
    '1.5·2^103, that plus 1.5·2^52, 1.5·2^52; mask of a digit; 2^52; 2^52 + 2^50; 2^-51.',
    [
      HIGH_UNIT,
      bitsOf(1.5 * 2 ** 103 + 1.5 * 2 ** 52),
      LOW_UNIT,
      2n ** WIDTH - 1n,
      bitsOf(2 ** 52),
      bitsOf(2 ** 52 + 2 ** 50),
      bitsOf(2 ** -51),
    ],
  ],
  ['fp', 'The base field.', modulusRecord(p)],
  ['fr', 'The scalar field.', modulusRecord(r)],
  ['one', 'One.', element(1n)],
  ['fromFile', "From a file's number (times 2^256) to a field element.", plain(2n ** 254n)],
  ['toFile', "From a field element to a file's number.", plain(2n ** 256n)],
  ['fileToPlain', "From a file's number to a plain one.", plain((p + 1n) / 2n)],
  ['plainToFile', "From a plain number to a file's.", plain(2n ** 511n)],
  ['scalarOne', 'One, times 2^255 modulo r.', element(1n, r)],
  ['scalarSquare', '2^510 modulo r.', plain(2n ** 510n, r)],
  ['scalarHigh', '2^511 modulo r.', plain(2n ** 511n, r)],
  ['g1B', 'y² = x³ + 3.', element(3n)],
  ['g2B', 'y² = x³ + 3/(9+u).', element2(Fp2.mul(Fp2.inv(xi), 3n))],
  ['beta', 'The cube root of one that belongs to the endomorphism of g1.', element(beta)],
  ['psiX', 'ξ^((p-1)/3), ξ = 9+u.', element2(Fp2.pow(xi, (p - 1n) / 3n))],
  ['psiY', 'ξ^((p-1)/2).', element2(Fp2.pow(xi, (p - 1n) / 2n))],
  [
    'psiSquaredX',
    'ξ^((p²-1)/3), which lies in Fp.',
    element(Fp2.reim(Fp2.pow(xi, (p * p - 1n) / 3n)).re),
  ],
  ['glv', 'The lattice of g1.', latticeRecord(glvBasis())],
  ['gls', 'The lattice of g2.', latticeRecord(glsBasis())],
  ['xBits', 'The parameter x of the curve, in signed bits.', signedBits(x)],
];

const generated = '// Generated by scripts/generate-curve.ts: do not edit.\n';
const hex = (value: bigint) => `0x${value.toString(16).padStart(16, '0')}`;
const files = {
  'constants.ts': [
    generated,
    ...constants.map(
      ([name, comment, values]) =>
        `/** ${comment} */\nexport const ${name}: usize = memory.data<u64>([\n` +
        values.map((value) => `  ${hex(value)},\n`).join('') +
        ']);\n',
    ),
    `/** How many signed bits x has. */\nexport const xLength: i32 = ${signedBits(x).length};\n`,
  ].join('\n'),
  'products.ts': [
    generated,
    "import * as Constants from './constants';\nimport { Lanes } from './lanes';\n",
    ...texts.map(({ text }) => `${text}\n`),
  ].join('\n'),
};

for (const [name, unformatted] of Object.entries(files)) {
  const path = join(folder, name);
  const text = await format(unformatted, { ...(await resolveConfig(path)), filepath: path });
  if (!process.argv.includes('--check')) await writeFile(path, text);
  else if ((await readFile(path, 'utf8')) !== text) {
    throw new Error(`${name} is not what scripts/generate-curve.ts writes`);
  }
}
