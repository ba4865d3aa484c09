import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import * as snarkjs from 'snarkjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Curve } from '../../../workers/curve/curve.ts';
import * as setting from './ceremony.ts';
import { memory } from './ceremony.ts';

let curve: Curve;
let folder: string;

beforeAll(async () => {
  curve = await Curve.start();
  folder = mkdtempSync(path.join(tmpdir(), 'keyloom-circuit-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await curve.close();
  await setting.closeSnarkjs();
});

/** Compiles a circuit of circuits/ to its constraints and the program that computes its witness. */
function compile(name: string): { circuit: Uint8Array; program: Uint8Array } {
  const compiler = createRequire(import.meta.url).resolve('circom2/cli.js');
  const source = path.join(import.meta.dirname, 'circuits', `${name}.circom`);
  const options = ['--r1cs', '--wasm', '-o', folder];
  execFileSync(process.execPath, [compiler, source, ...options], { stdio: 'pipe' });
  return {
    circuit: readFileSync(path.join(folder, `${name}.r1cs`)),
    program: readFileSync(path.join(folder, `${name}_js`, `${name}.wasm`)),
  };
}

it('sets up a circuit with the powers of a ceremony, and proves and verifies it', async () => {
  const { circuit, program } = compile('multiplier');
  const powers = (await setting.ceremony(curve, 3, 1, 0)).at(-1).file.bytes;
  const [prepared, first, key] = [memory(), memory(), memory()];
  await snarkjs.powersOfTau.preparePhase2(memory(powers), prepared);
  await snarkjs.zKey.newZKey(memory(circuit), prepared, first);
  await snarkjs.zKey.contribute(first, key, 'second phase', 'entropy');
  expect(await snarkjs.zKey.verifyFromR1cs(memory(circuit), prepared, key)).toBe(true);

  const verificationKey = await snarkjs.zKey.exportVerificationKey(key);
  const factors = { a: 641, b: 6_700_417 };
  const { proof, publicSignals } = await snarkjs.groth16.fullProve(factors, memory(program), key);
  expect(publicSignals).toEqual([String(2 ** 32 + 1)]);
  expect(await snarkjs.groth16.verify(verificationKey, publicSignals, proof)).toBe(true);
  expect(await snarkjs.groth16.verify(verificationKey, ['4294967298'], proof)).toBe(false);
});
