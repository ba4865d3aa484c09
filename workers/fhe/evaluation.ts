import type { Ciphertext, Evaluator, Plaintext } from 'node-seal';
import { isKeyloomError } from '../errors.ts';
import type { ParameterSet } from '../ring/parameters.ts';
import { parseCiphertext } from './ciphertext.ts';
import { sealContext } from './context.ts';
import { FheError, FheErrorCode } from './errors.ts';
import { galoisKeyOf, relinearizationKeyOf, switchingElement } from './evaluation-keys.ts';
import { serializePlaintext } from './plaintext.ts';
import { centredScalar, scalarResidue } from './scalars.ts';
import { savedBytes, seal, withSeal } from './seal.ts';
import type { Own } from './seal.ts';

/** A ciphertext in SEAL's memory. It does not outlive the arithmetic that made it. */
export type Operand = Ciphertext;

/** Runs `work` with stock SEAL's arithmetic, and then frees every operand. */
export function withArithmetic<Result>(
  set: ParameterSet,
  work: (arithmetic: Arithmetic) => Result,
): Result {
  return withSeal((own) => work(new Arithmetic(set, own)));
}

/**
 * What SEAL's Evaluator does to ciphertexts of two polynomials, bit for bit the same everywhere: none
 * of it is random. Operands stay as they are; operands of one call are at one level.
 *
 * Entries are those of `evaluation-keys.ts`. One is in SEAL's memory at a time: a key of one Galois
 * element has megabytes, and loading it takes less time than using it.
 *
 * All throw FheError TRANSPARENT where the second polynomial of the result is zero, and SEAL_FAILED for
 * what else SEAL refuses.
 */
class Arithmetic {
  readonly #set: ParameterSet;
  readonly #own: Own;
  readonly #evaluator: Evaluator;

  constructor(set: ParameterSet, own: Own) {
    this.#set = set;
    this.#own = own;
    this.#evaluator = own(new seal.Evaluator(sealContext(set).handle));
  }

  /**
   * @param ciphertext SEAL's Ciphertext object
   * @throws FheError the codes of `parseCiphertext`
   */
  load(ciphertext: Uint8Array): Operand {
    parseCiphertext(this.#set, ciphertext);
    const operand = this.#own(new seal.Ciphertext());
    operand.loadFromArray(sealContext(this.#set).handle, ciphertext.slice());
    return operand;
  }

  /** The canonical bytes. */
  save(operand: Operand): Uint8Array {
    return savedBytes(operand);
  }

  limbsOf(operand: Operand): number {
    return operand.coeffModulusSize();
  }

  add(left: Operand, right: Operand): Operand {
    return this.#result((out) => this.#evaluator.add(left, right, out));
  }

  subtract(left: Operand, right: Operand): Operand {
    return this.#result((out) => this.#evaluator.sub(left, right, out));
  }

  negate(operand: Operand): Operand {
    return this.#result((out) => this.#evaluator.negate(operand, out));
  }

  /** The product, relinearized. */
  multiply(left: Operand, right: Operand, entry: Uint8Array): Operand {
    return this.#result((out) => {
      this.#evaluator.multiply(left, right, out);
      withSeal((own) => {
        const key = own(new seal.RelinKeys());
        const file = relinearizationKeyOf(this.#set, entry);
        key.loadFromArray(sealContext(this.#set).handle, file);
        this.#evaluator.relinearizeInplace(out, key);
      });
    });
  }

  /** The automorphism X → X^element, under the same key. */
  applyGalois(operand: Operand, element: number, entry: Uint8Array): Operand {
    return this.#result((out) =>
      withSeal((own) => {
        const key = own(new seal.GaloisKeys());
        const file = galoisKeyOf(this.#set, element, entry);
        key.loadFromArray(sealContext(this.#set).handle, file);
        this.#evaluator.applyGalois(operand, element, key, out);
      }),
    );
  }

  /** The same plaintext under the key that the entry switches to. */
  switchKey(operand: Operand, entry: Uint8Array): Operand {
    return this.applyGalois(operand, switchingElement, entry);
  }

  /** Adds a constant in all slots, which is one in coefficient 0. */
  addScalar(operand: Operand, scalar: bigint): Operand {
    return withSeal((own) => {
      const constant = this.#constant(scalarResidue(this.#set.plainModulus, scalar), own);
      return this.#result((out) => this.#evaluator.addPlain(operand, constant, out));
    });
  }

  /**
   * Multiplies with the representative of least absolute value. SEAL multiplies with a constant of one
   * coefficient as it is, not centred, so the sign is taken out.
   */
  multiplyScalar(operand: Operand, scalar: bigint): Operand {
    const factor = centredScalar(this.#set, scalar);
    return withSeal((own) => {
      const constant = this.#constant(factor < 0n ? -factor : factor, own);
      return this.#result((out) => {
        this.#evaluator.multiplyPlain(operand, constant, out);
        if (factor < 0n) this.#evaluator.negateInplace(out);
      });
    });
  }

  /** One level down: divides by the last prime and rounds. */
  switchDown(operand: Operand): Operand {
    return this.#result((out) => this.#evaluator.cipherModSwitchToNext(operand, out));
  }

  #constant(value: bigint, own: Own): Plaintext {
    const coefficients = new BigUint64Array(this.#set.degree);
    coefficients[0] = value;
    const plaintext = own(new seal.Plaintext());
    const bytes = serializePlaintext(this.#set, coefficients);
    plaintext.loadFromArray(sealContext(this.#set).handle, bytes);
    return plaintext;
  }

  #result(compute: (out: Ciphertext) => void): Operand {
    const out = this.#own(new seal.Ciphertext());
    try {
      withSeal(() => compute(out));
    } catch (error) {
      if (!isTransparent(error)) throw error;
      throw new FheError(FheErrorCode.TRANSPARENT, 'the result hides nothing', { cause: error });
    }
    return out;
  }
}

export type { Arithmetic };

/** What SEAL says where a result's second polynomial would be zero: the kind of exception, and this. */
const transparent = 'result ciphertext is transparent';

function isTransparent(error: unknown): boolean {
  if (!isKeyloomError(error, FheErrorCode.SEAL_FAILED)) return false;
  const { message } = error.cause as { message?: unknown };
  return Array.isArray(message) && message.includes(transparent);
}
