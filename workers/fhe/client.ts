import type { Plaintext } from 'node-seal';
import type { ParameterSet } from '../ring/parameters.ts';
import { sealContext } from './context.ts';
import { FheError, FheErrorCode } from './errors.ts';
import { parsePlaintext, serializePlaintext } from './plaintext.ts';
import { savedBytes, seal, withSeal } from './seal.ts';
import type { Own } from './seal.ts';

/**
 * What a user encrypts: up to N batched slots, or one number in coefficient 0. Sums and products are
 * modulo t; with t = 2^32 numbers wrap around as those of a computer do.
 */
export type Values = { readonly slots: readonly bigint[] } | { readonly scalar: bigint };

/** A key pair of one person, made by SEAL itself. */
export interface KeyPair {
  /** SEAL's uncompressed PublicKey object: canonical. */
  readonly publicKey: Uint8Array;
  /** SEAL's uncompressed SecretKey object. Secret. */
  readonly secretKey: Uint8Array;
}

/**
 * Makes a fresh key pair with stock SEAL, for a user who wants to receive plaintexts alone.
 *
 * @throws FheError SEAL_FAILED
 */
export function createKeyPair(set: ParameterSet): KeyPair {
  return withSeal((own) => {
    const generator = own(new seal.KeyGenerator(sealContext(set).handle));
    return {
      publicKey: savedBytes(own(generator.createPublicKey())),
      secretKey: savedBytes(own(generator.secretKey())),
    };
  });
}

/**
 * Encrypts with stock SEAL, as any user of a threshold key does.
 *
 * @param publicKey SEAL's PublicKey object
 * @param values each from 0 to below the plain modulus
 * @returns SEAL's uncompressed Ciphertext object at the first level: canonical
 * @throws FheError VALUES_INVALID; BATCHING_UNSUPPORTED for slots; SEAL_FAILED if SEAL does not load
 * the key
 */
export function encrypt(set: ParameterSet, publicKey: Uint8Array, values: Values): Uint8Array {
  const context = sealContext(set).handle;
  return withSeal((own) => {
    const key = own(new seal.PublicKey());
    key.loadFromArray(context, unwrapped(publicKey));
    const ciphertext = own(new seal.Ciphertext());
    own(new seal.Encryptor(context, key)).encrypt(encode(set, values, own), ciphertext);
    return savedBytes(ciphertext);
  });
}

/**
 * The plaintext that values are encrypted as: what who encrypts without SEAL's Encryptor starts from.
 *
 * @returns N coefficients below the plain modulus
 * @throws FheError VALUES_INVALID; BATCHING_UNSUPPORTED for slots
 */
export function encodeValues(set: ParameterSet, values: Values): BigUint64Array {
  return withSeal((own) => {
    const plaintext = encode(set, values, own);
    plaintext.resize(set.degree);
    return parsePlaintext(set, savedBytes(plaintext));
  });
}

/**
 * Decrypts with stock SEAL. A key that the ciphertext is not for gives random coefficients: SEAL
 * cannot tell.
 *
 * @param secretKey SEAL's SecretKey object
 * @param ciphertext SEAL's Ciphertext object, at any level
 * @returns the plaintext with N coefficients, as `serializePlaintext` writes it
 * @throws FheError SEAL_FAILED if SEAL does not load the key or the ciphertext
 */
export function decrypt(
  set: ParameterSet,
  secretKey: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array {
  const context = sealContext(set).handle;
  return withSeal((own) => {
    const key = own(new seal.SecretKey());
    key.loadFromArray(context, unwrapped(secretKey));
    const object = own(new seal.Ciphertext());
    object.loadFromArray(context, unwrapped(ciphertext));
    const plaintext = own(new seal.Plaintext());
    own(new seal.Decryptor(context, key)).decrypt(object, plaintext);
    plaintext.resize(set.degree);
    return savedBytes(plaintext);
  });
}

/**
 * The batched slots of a decrypted plaintext.
 *
 * @param plaintext as `serializePlaintext` writes it
 * @returns N values below the plain modulus
 * @throws FheError BATCHING_UNSUPPORTED; the format codes of `parsePlaintext`
 */
export function decodeSlots(set: ParameterSet, plaintext: Uint8Array): bigint[] {
  requireBatching(set);
  parsePlaintext(set, plaintext);
  const context = sealContext(set).handle;
  return withSeal((own) => {
    const object = own(new seal.Plaintext());
    object.loadFromArray(context, unwrapped(plaintext));
    const slots = own(new seal.BatchEncoder(context)).decodeBigUint64(object) as BigUint64Array;
    return [...slots];
  });
}

/** The coefficients of a decrypted plaintext; a scalar is the first of them. */
export function decodeCoefficients(set: ParameterSet, plaintext: Uint8Array): bigint[] {
  return [...parsePlaintext(set, plaintext)];
}

/** SEAL's binding takes no subclass of Uint8Array, and files and sockets give Node's Buffer. */
const unwrapped = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);

function encode(set: ParameterSet, values: Values, own: Own): Plaintext {
  if ('slots' in values) requireBatching(set);
  const numbers = 'slots' in values ? values.slots : [values.scalar];
  const fits = numbers.every((number) => number >= 0n && number < set.plainModulus);
  if (!fits || numbers.length > set.degree) {
    throw new FheError(FheErrorCode.VALUES_INVALID, 'at most N values below the plain modulus', {
      metadata: { values: numbers.length, degree: set.degree, plainModulus: set.plainModulus },
    });
  }
  const plaintext = own(new seal.Plaintext());
  const context = sealContext(set).handle;
  if ('slots' in values) {
    own(new seal.BatchEncoder(context)).encode(BigUint64Array.from(numbers), plaintext);
  } else {
    const coefficients = new BigUint64Array(set.degree);
    coefficients[0] = values.scalar;
    plaintext.loadFromArray(context, serializePlaintext(set, coefficients));
  }
  return plaintext;
}

function requireBatching(set: ParameterSet): void {
  if (set.batching) return;
  throw new FheError(
    FheErrorCode.BATCHING_UNSUPPORTED,
    'plaintexts of this parameter set have no slots: encrypt a scalar, read coefficients',
    { metadata: { set: set.name } },
  );
}
