import { getAddress, zeroAddress, type Address, type Hex } from 'viem';

import { origins, type ProvenOrigin } from '../../proofs/origins.ts';
import { OperatorError, OperatorErrorCode } from '../errors.ts';
import { longestUpload } from '../public/objects.ts';

// length of the header, u32 ‖ header, JSON ‖ length of the ciphertext, u32 ‖ ciphertext ‖ proof; integers
// are little-endian.

/** What is posted for registration. */
export interface PostedRegistration {
  readonly keyId: Hex;
  readonly owner: Address;
  readonly origin: ProvenOrigin;
  /** SEAL's bytes; empty for 'computed'. */
  readonly ciphertext: Uint8Array;
  /** Or the program. */
  readonly proof: Uint8Array;
}

const lengthBytes = 4;
const longestHeader = 512;

/** Most bytes of a proof or program of any kind. */
export const longestProof = 1 << 20;

/** Most bytes of a body. */
export const longestRegistration = 2 * lengthBytes + longestHeader + longestUpload + longestProof;

/**
 * Reads a body that anybody may have chosen. Nothing in it is believed: it is only well formed.
 *
 * @returns views of `body`
 * @throws OperatorError REGISTRATION_MALFORMED
 */
export function parseRegistration(body: Uint8Array): PostedRegistration {
  const header = part(body, 0, longestHeader);
  const ciphertext = part(body, header.end, longestUpload);
  const proof = body.subarray(ciphertext.end);
  const { keyId, owner, origin } = parseHeader(header.bytes);
  if ((ciphertext.bytes.length === 0) !== (origin === 'computed'))
    throw malformed('a ciphertext comes with a proof, and none with a program');
  if (proof.length === 0 || proof.length > longestProof)
    throw malformed('there is no proof or program, or one that is too long');
  return { keyId, owner, origin, ciphertext: ciphertext.bytes, proof };
}

/** Bytes with their length in front. */
function part(body: Uint8Array, at: number, most: number): { bytes: Uint8Array; end: number } {
  const start = at + lengthBytes;
  if (body.length < start) throw malformed('the body is truncated');
  const length = new DataView(body.buffer, body.byteOffset).getUint32(at, true);
  if (length > most || body.length - start < length)
    throw malformed('a length in the body is too large');
  return { bytes: body.subarray(start, start + length), end: start + length };
}

function parseHeader(bytes: Uint8Array): Pick<PostedRegistration, 'keyId' | 'owner' | 'origin'> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed('the header is no JSON', cause);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw malformed('the header is no object');
  const fields = new Map(Object.entries(header));
  const text = (name: string, pattern: RegExp): string => {
    const value: unknown = fields.get(name);
    if (typeof value !== 'string' || !pattern.test(value))
      throw malformed(`${name} is not what it must be`);
    return value.toLowerCase();
  };
  const keyId = text('keyId', /^0x[0-9a-fA-F]{64}$/) as Hex;
  const owner = getAddress(text('owner', /^0x[0-9a-fA-F]{40}$/));
  const named: unknown = fields.get('origin');
  const origin = origins.find((known) => known === named);
  if (origin === undefined || origin === 'vouched')
    throw malformed('origin is not what it must be');
  if (fields.size !== 3) throw malformed('the header has other fields');
  if (owner === zeroAddress) throw malformed('nobody owns the zero address');
  return { keyId, owner, origin };
}

function malformed(why: string, cause?: unknown): OperatorError {
  return new OperatorError(OperatorErrorCode.REGISTRATION_MALFORMED, why, { cause });
}
