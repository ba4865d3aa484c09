import { describe, expect, it } from 'vitest';
import { KernelErrorCode } from '../../../workers/kernels/errors.ts';
import { fieldOf } from '../../../workers/kernels/field.ts';
import { instantiateKernels, readModule } from '../../../workers/kernels/loader.ts';
import { paths, seededPrime } from './reference.ts';
import { withCode } from './support.ts';

/** A module whose only function, productLow, returns 0: what an engine that rounds twice gives. */
const unfused = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // One type: (f64, f64) -> f64. One function of it.
  ...[0x01, 0x07, 0x01, 0x60, 0x02, 0x7c, 0x7c, 0x01, 0x7c],
  ...[0x03, 0x02, 0x01, 0x00],
  ...[0x07, 0x0e, 0x01, 0x0a, ...Buffer.from('productLow'), 0x00, 0x00],
  // Body: f64.const 0.
  ...[0x0a, 0x0d, 0x01, 0x0b, 0x00, 0x44, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b],
]);

describe('loader', () => {
  it('withholds the fast path where multiply-add does not fuse', () => {
    expect(WebAssembly.validate(unfused)).toBe(true);
    expect(instantiateKernels(readModule('integer'), unfused).fast).toBeUndefined();
  });

  it('says by code that the modules are not built', () => {
    expect(() => readModule('fast', new URL('.', import.meta.url))).toThrow(
      withCode(KernelErrorCode.NOT_BUILT),
    );
  });

  it('withholds the fast path where the module does not compile', () => {
    expect(paths.integer.fast).toBeUndefined();
  });

  it('takes the integer path from 2^50 on and where the caller asks for it', () => {
    const narrow = seededPrime('loader', 50, 16);
    const wide = seededPrime('loader', 51, 16);
    const available = paths.default.fast !== undefined;
    expect(fieldOf(narrow).fast).toBe(available);
    expect(fieldOf(narrow, paths.default, false).fast).toBe(false);
    expect(fieldOf(wide).fast).toBe(false);
    expect(fieldOf(narrow, paths.integer).fast).toBe(false);
  });
});
