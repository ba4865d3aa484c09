/** A body as docs/operator/registrations.md says it. */
export function bodyOf(
  header: unknown,
  ciphertext: Uint8Array,
  proof: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const body = new Uint8Array(8 + text.length + ciphertext.length + proof.length);
  const view = new DataView(body.buffer);
  view.setUint32(0, text.length, true);
  body.set(text, 4);
  view.setUint32(4 + text.length, ciphertext.length, true);
  body.set(ciphertext, 8 + text.length);
  body.set(proof, 8 + text.length + ciphertext.length);
  return body;
}
