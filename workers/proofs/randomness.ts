/** A source of that many random bytes, secret and unpredictable; a seeded stream in tests only. */
export type RandomBytes = (length: number) => Uint8Array;

/** Most bytes that WebCrypto gives at once. */
const AT_ONCE = 65_536;

/** The platform's generator, in Node and browsers. */
export const secureRandomBytes: RandomBytes = (length) => {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += AT_ONCE) {
    crypto.getRandomValues(bytes.subarray(at, at + AT_ONCE));
  }
  return bytes;
};
