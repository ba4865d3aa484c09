/**
 * SHA-256 by WebCrypto, which Node and browsers have. By its specification `digest` copies the bytes
 * before it returns, so they may lie in kernel memory.
 */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}
