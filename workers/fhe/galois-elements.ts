import { FheError, FheErrorCode } from './errors.ts';

/** Row rotations are powers of X → X^3: the generator that SEAL's batching uses. */
const generator = 3;

/**
 * Galois elements of rotations, ascending and without repeats: what a key request lists.
 *
 * A step s > 0 rotates the rows of a batched plaintext to the left by s, s < 0 to the right, and 0
 * swaps the rows. 'default' stands for what SEAL's `createGaloisKeys` makes without steps: the
 * powers of two in both directions and the swap, from which every rotation can be put together.
 *
 * @param degree N, a power of two; a row has N/2 slots
 * @param steps integers with |s| < N/2, at least one
 * @throws FheError GALOIS_STEP_INVALID
 */
export function galoisElements(degree: number, steps: 'default' | readonly number[]): number[] {
  const listed = steps === 'default' ? defaultSteps(degree) : steps;
  if (listed.length === 0) throw stepInvalid(degree, undefined);
  const elements = new Set(listed.map((step) => elementOf(degree, step)));
  return [...elements].sort((a, b) => a - b);
}

function defaultSteps(degree: number): number[] {
  const powers = Array.from({ length: Math.log2(degree) - 1 }, (_, power) => 2 ** power);
  return [0, ...powers, ...powers.map((power) => -power)];
}

function elementOf(degree: number, step: number): number {
  const slots = degree / 2;
  if (!Number.isInteger(step) || Math.abs(step) >= slots) throw stepInvalid(degree, step);
  if (step === 0) return 2 * degree - 1;
  // 3 has order N/2 modulo 2N, so a step to the right is one to the left by the rest of the row.
  const power = (step + slots) % slots;
  let element = 1;
  for (let i = 0; i < power; i++) element = (generator * element) % (2 * degree);
  return element;
}

function stepInvalid(degree: number, step: number | undefined): FheError {
  return new FheError(
    FheErrorCode.GALOIS_STEP_INVALID,
    'a rotation step is an integer between -N/2 and N/2',
    { metadata: { step, degree } },
  );
}
