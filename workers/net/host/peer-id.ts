import {
  generateKeyPair,
  privateKeyFromProtobuf,
  privateKeyToProtobuf,
  publicKeyFromRaw,
} from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey, peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id';

import { NetError, NetErrorCode } from '../errors.ts';

/** Identity multihash (code 0, 36 bytes) of a protobuf-encoded Ed25519 public key (32 bytes). */
const ed25519Prefix = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20);
const peerIdLength = ed25519Prefix.length + 32;

/** A new peer key: a libp2p protobuf-encoded Ed25519 private key. Secret. */
export async function generatePeerKey(): Promise<Uint8Array> {
  return privateKeyToProtobuf(await generateKeyPair('Ed25519'));
}

/** Decodes a peer key. Throws `keyInvalid`, without a cause: it might quote the key. */
export function decodePeerKey(privateKey: Uint8Array): Ed25519PrivateKey {
  try {
    const key = privateKeyFromProtobuf(privateKey);
    if (key.type === 'Ed25519') return key;
  } catch {
    // Falls through to the coded error.
  }
  throw new NetError(NetErrorCode.keyInvalid, 'Not a protobuf-encoded Ed25519 private key');
}

/** The peer id that belongs to a peer key, as text. Throws `keyInvalid`. */
export function peerIdOf(privateKey: Uint8Array): string {
  return peerIdFromPrivateKey(decodePeerKey(privateKey)).toString();
}

/**
 * The 38 bytes of a peer id as they are registered on chain: the multihash itself.
 *
 * Only Ed25519 ids in their base58 form pass, so a peer has one text and one byte form.
 * Throws `peerIdInvalid`.
 */
export function peerIdToBytes(peerId: string): Uint8Array {
  try {
    const parsed = peerIdFromString(peerId);
    if (parsed.type === 'Ed25519' && parsed.toString() === peerId) {
      return Uint8Array.from(parsed.toMultihash().bytes);
    }
  } catch (cause) {
    throw new NetError(NetErrorCode.peerIdInvalid, 'Not a peer id', { cause });
  }
  throw new NetError(NetErrorCode.peerIdInvalid, 'Not the canonical text of an Ed25519 peer id');
}

/** The text of a peer id registered as these bytes. Throws `peerIdInvalid`. */
export function peerIdFromBytes(bytes: Uint8Array): string {
  const wellFormed =
    bytes.length === peerIdLength && ed25519Prefix.every((byte, index) => bytes[index] === byte);
  if (wellFormed) {
    const key = publicKeyFromRaw(bytes.subarray(ed25519Prefix.length));
    if (key.type === 'Ed25519') return peerIdFromPublicKey(key).toString();
  }
  throw new NetError(NetErrorCode.peerIdInvalid, 'Not the multihash of an Ed25519 key', {
    metadata: { length: bytes.length },
  });
}
