import { beforeAll, describe, expect, it } from 'vitest';
import type { Witness } from '../../../../workers/proofs/encryption.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { cellsOf, multiplicitiesOf, type Cells } from '../../../../workers/proofs/kzg/cells.ts';
import type { Crs } from '../../../../workers/proofs/kzg/crs.ts';
import { firstQuotient, kzgParameters } from '../../../../workers/proofs/kzg/parameters.ts';
import { makeKzgProof } from '../../../../workers/proofs/kzg/prove.ts';
import { prepareKzg, type KzgStatement } from '../../../../workers/proofs/kzg/statement.ts';
import { checkKzgProof } from '../../../../workers/proofs/kzg/verify.ts';
import { ciphertextBytes, integersOf, tinySet } from '../support.ts';
import {
  curve,
  insecureCrs,
  kzgFixture,
  statementOf,
  twoGroups,
  type KzgFixture,
} from './support.ts';

// A prover that does not look at its witness makes proofs of what is false.

const parameters = kzgParameters(tinySet);
const { degree, plainModulus: t } = tinySet;
const { cells, limbs, wBound, columns, segments } = parameters;

let crs: Crs;
let fixture: KzgFixture;

beforeAll(async () => {
  crs = await insecureCrs(tinySet);
  fixture = await kzgFixture(tinySet);
});

/** What the verifier says to a proof made of cells as they come. */
async function verdict(
  statement: KzgStatement,
  witness: Witness,
  change: (cells: Cells) => Cells = (same) => same,
): Promise<unknown> {
  const prepared = await prepareKzg(statement);
  const proof = await makeKzgProof(prepared, change(cellsOf(prepared, witness)), crs, { curve });
  return checkKzgProof(prepared, crs.key, proof).then(
    () => 'accepted',
    (error: { code: unknown }) => error.code,
  );
}

const mismatch = ProofErrorCode.OPENING_MISMATCH;

describe('no proof is made', () => {
  it('of a witness that is beyond a bound by one, in any place; at the bound there is one', async () => {
    const { key, witness } = fixture;
    const bound = Number(wBound);
    const cases: [name: string, at: Witness, beyond: Witness][] = [1, -1].flatMap((sign) => {
      const place = sign > 0 ? 0 : degree - 1;
      const w = sign > 0 ? bound - 1 : -bound;
      const set = (changed: Partial<Witness>): Witness => ({ ...witness, ...changed });
      return [
        [
          `u ${sign}`,
          set({ u: witness.u.with(place, sign) }),
          set({ u: witness.u.with(place, 2 * sign) }),
        ],
        [
          `e1 ${sign}`,
          set({ e1: witness.e1.with(place, 21 * sign) }),
          set({ e1: witness.e1.with(place, 22 * sign) }),
        ],
        [
          `w ${sign}`,
          set({ w: witness.w.with(place, w) }),
          set({ w: witness.w.with(place, w + sign) }),
        ],
      ] as [string, Witness, Witness][];
    });
    for (const [name, at, beyond] of cases) {
      expect(await verdict(statementOf(key, at), at), name).toBe('accepted');
      expect(await verdict(statementOf(key, beyond), beyond), name).toBe(mismatch);
    }
  });

  it('even if cells stay in the table, but say something else', async () => {
    const { key, witness } = fixture;
    const beyond = { ...witness, u: witness.u.with(7, 2) };
    // Only the second segment of u was out of the table: any entry instead breaks their equality.
    for (const entry of [cells - 1, 0, 5]) {
      const inTable = ({ columns: all }: Cells): Cells => {
        const changed = all.map((column) => column.slice());
        changed[0][degree + 7] = entry;
        return { columns: changed, multiplicities: multiplicitiesOf(parameters, changed) };
      };
      expect(await verdict(statementOf(key, beyond), beyond, inTable)).toBe(mismatch);
    }
  });

  it('if any one cell, or count, is another', async () => {
    const { statement, witness } = fixture;
    const used = segments.length * degree;
    for (let segment = 0; segment < segments.length; segment++) {
      const changeCell = ({ columns: all }: Cells): Cells => {
        const changed = all.map((column) => column.slice());
        const at = segment * degree + ((37 * segment) % degree);
        changed[Math.floor(at / cells)][at % cells] ^= 1;
        return { columns: changed, multiplicities: multiplicitiesOf(parameters, changed) };
      };
      expect(await verdict(statement, witness, changeCell), `segment ${segment}`).toBe(mismatch);
    }
    const changeCount = ({ columns: all, multiplicities }: Cells): Cells => ({
      columns: all,
      multiplicities: multiplicities.with(3, multiplicities[3] + 1),
    });
    expect(await verdict(statement, witness, changeCount)).toBe(mismatch);
    // The last half column holds nothing: there, what is in the table may stand.
    const changeRest = ({ columns: all }: Cells): Cells => {
      const changed = all.map((column) => column.slice());
      changed[columns - 1][cells - 1] = 1;
      return { columns: changed, multiplicities: multiplicitiesOf(parameters, changed) };
    };
    expect(used).toBeLessThan(columns * cells);
    expect(await verdict(statement, witness, changeRest)).toBe('accepted');
  });

  it('of a ciphertext with structure', async () => {
    const { statement, witness, key } = fixture;
    const { c0, c1 } = integersOf(tinySet, statement.registered);
    const q = tinySet.primes[0] * tinySet.primes[1];
    const none = c0.map(() => 0n);
    const malformed: Record<string, [bigint[], bigint[]]> = {
      'a monomial as c1': [c0, none.with(0, 1n)],
      'a quarter of q as c1': [none, none.with(0, q / 4n)],
      'a known multiple of q/t that meets the key': [none, none.with(0, q / t)],
      'noise up to half of q/t': [c0.with(3, c0[3] + q / (2n * t)), c1],
      'one more in c1': [c0, c1.with(5, c1[5] + 1n)],
      'the double': [c0.map((x) => 2n * x), c1.map((x) => 2n * x)],
    };
    for (const [name, [x, y]] of Object.entries(malformed)) {
      const registered = ciphertextBytes(tinySet, x, y);
      const forged = { key, registered, context: statement.context };
      // The quotients are rounded: nothing better is to be had.
      const bounded = ({ columns: all }: Cells): Cells => {
        const changed = all.map((column) =>
          column.map((cell) => Math.min(Math.max(cell, 0), cells - 1)),
        );
        return { columns: changed, multiplicities: multiplicitiesOf(parameters, changed) };
      };
      expect(await verdict(forged, witness, bounded), name).toBe(mismatch);
    }
  });

  it('of a ciphertext that is right modulo the primes of one group only', async () => {
    const { groups } = kzgParameters(twoGroups);
    expect(groups.length).toBeGreaterThan(1);
    const wide = await kzgFixture(twoGroups);
    const powers = await insecureCrs(twoGroups);
    const { c0, c1 } = integersOf(twoGroups, wide.statement.registered);
    const shifted = (x: bigint[], by: bigint): bigint[] => x.with(9, x[9] + by);
    for (const { modulus } of groups) {
      for (const [x, y] of [
        [shifted(c0, modulus), c1],
        [c0, shifted(c1, modulus)],
      ]) {
        const registered = ciphertextBytes(twoGroups, x, y);
        const prepared = await prepareKzg({ ...wide.statement, registered });
        const { columns: all } = cellsOf(prepared, wide.witness);
        const { cells: most } = kzgParameters(twoGroups);
        const bounded = all.map((column) =>
          column.map((cell) => Math.min(Math.max(cell, 0), most - 1)),
        );
        const made = {
          columns: bounded,
          multiplicities: multiplicitiesOf(kzgParameters(twoGroups), bounded),
        };
        const proof = await makeKzgProof(prepared, made, powers, { curve });
        await expect(checkKzgProof(prepared, powers.key, proof)).rejects.toMatchObject({
          code: mismatch,
        });
      }
    }
  });

  it('with a quotient by which the equations hold modulo the field only', async () => {
    const { statement, witness } = fixture;
    // A quotient of more than N is no entry of the table.
    const quotient = firstQuotient({ limbs });
    const at = quotient * degree;
    for (const value of [cells, -1]) {
      const outside = ({ columns: all, multiplicities }: Cells): Cells => {
        const changed = all.map((column) => column.slice());
        changed[Math.floor(at / cells)][at % cells] = value;
        return { columns: changed, multiplicities };
      };
      expect(await verdict(statement, witness, outside)).toBe(mismatch);
    }
  });
});
