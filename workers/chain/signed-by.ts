import { secp256k1 } from '@noble/curves/secp256k1.js';
import { recoverPublicKey, slice, type Address, type Hex } from 'viem';
import { publicKeyToAddress } from 'viem/accounts';
import type { Deployment } from './client.ts';
import { isCanonicalSignature, statementDigest, type Statement } from './typed-data.ts';

type PublicKey = InstanceType<typeof secp256k1.Point>;

const { Point } = secp256k1;
const { Fn } = Point;

/** Bits of the windows of a key's table: 0.4 MB for each key. */
const WINDOW_BITS = 6;
/** Keys that are kept, those of two committees and more; the oldest one goes first. */
const MAX_KEYS = 32;

/** Public keys by the addresses that stand for them, known from signatures. */
const keys = new Map<Address, PublicKey>();

/**
 * True if `signer` signed a statement, in a form that the contracts accept: the same as that
 * `recoverSigner` gives `signer`.
 *
 * An operator checks the signatures of the same few signers all the time. Once a key is known from a
 * first signature, its table of multiples makes this a third of the work of recovering the key anew.
 *
 * @param signature untrusted
 */
export async function isSignedBy(
  deployment: Deployment,
  statement: Statement,
  signature: Hex,
  signer: Address,
): Promise<boolean> {
  if (!isCanonicalSignature(signature)) return false;
  const hash = statementDigest(deployment, statement);
  const key = keys.get(signer);
  if (key !== undefined) return fits(key, hash, signature);
  const recovered = await recoverPublicKey({ hash, signature }).catch(() => undefined);
  if (recovered === undefined || publicKeyToAddress(recovered) !== signer) return false;
  remember(signer, recovered);
  return true;
}

/**
 * Whether recovering from the signature gives the key. Recovery takes the point R whose x is r and whose
 * parity is v's, and Q = r⁻¹·(s·R - z·G); so Q is the key if and only if R = s⁻¹·(z·G + r·key).
 */
function fits(key: PublicKey, hash: Hex, signature: Hex): boolean {
  const r = BigInt(slice(signature, 0, 32));
  const inverse = Fn.inv(BigInt(slice(signature, 32, 64)));
  const isOdd = Number(slice(signature, 64, 65)) === 28;
  const z = Fn.create(BigInt(hash));
  const point = Point.BASE.multiplyUnsafe(Fn.create(z * inverse)).add(
    key.multiplyUnsafe(Fn.create(r * inverse)),
  );
  if (point.is0()) return false;
  const { x, y } = point.toAffine();
  return x === r && (y & 1n) === (isOdd ? 1n : 0n);
}

function remember(signer: Address, publicKey: Hex): void {
  if (keys.size >= MAX_KEYS) keys.delete(keys.keys().next().value!);
  keys.set(signer, Point.fromHex(publicKey.slice(2)).precompute(WINDOW_BITS));
}
