/** The part of the package that is used; it has no types of its own. */
declare module 'blake2b-wasm' {
  class Blake2b {
    constructor(digestLength: number);
    /** Resolves once hashes can be made. */
    static ready(): Promise<void>;
    update(input: Uint8Array): this;
    /** The unfinished hash: block, chain value, counter and place in the block; 216 bytes. */
    getPartialHash(): Uint8Array;
    digest(): Uint8Array;
  }
  export default Blake2b;
}
