import { bytesToHex, concatBytes, hexToBytes, type Hex } from 'viem';

import { blobDigest } from '../../../../sdk/index.ts';
import type { Deployment } from '../../../../workers/chain/client.ts';
import { signStatement } from '../../../../workers/chain/typed-data.ts';
import type { RnsVector } from '../../../../workers/ring/basis.ts';
import { commitShare } from '../../../../workers/sharing/commitment.ts';
import { operatorAccount } from '../../../contracts/support/gateway.ts';
import { fakeOperator } from '../fake-operator.ts';

/** Which copy of which share is asked for. */
export interface Place {
  /** Who serves it. */
  readonly holder: number;
  readonly openingId: Hex;
  /** Whose share it is. */
  readonly index: number;
}

type Served = Uint8Array | { readonly start: Uint8Array } | undefined;

/** How what is served may differ from what honest operators serve. */
export interface Tampering {
  /** What is served in place of a share: undefined for nothing, a start that nothing follows. */
  readonly share?: (place: Place, honest: Uint8Array) => Promise<Served>;
  /** The epoch that a list of shares names. */
  readonly epochId?: Hex;
  readonly offline?: readonly number[];
  readonly blob?: (bytes: Uint8Array) => Uint8Array;
}

/**
 * The HTTP interfaces of a committee whose members all have everybody's signed shares. Operator i is
 * at `/i` of one server.
 */
export class ServingOperators implements AsyncDisposable {
  tampering: Tampering = {};
  /** Signed shares as they are served, by opening and operator. */
  readonly shares = new Map<Hex, Map<number, Uint8Array>>();
  readonly #blobs = new Map<Hex, Uint8Array>();
  #server: (AsyncDisposable & { endpoint: string }) | undefined;
  #deployment: Deployment | undefined;
  #epochId: Hex | undefined;

  static async start(): Promise<ServingOperators> {
    const operators = new ServingOperators();
    operators.#server = await fakeOperator((request, response) => {
      const [, holder, ...path] = (request.url ?? '').split('/');
      void operators.#answer(Number(holder), path).then((bytes) => {
        if (bytes === 'hang up') response.destroy();
        else if (bytes === undefined) response.writeHead(404).end();
        else if ('start' in bytes) response.writeHead(200).write(bytes.start);
        else response.writeHead(200).end(bytes);
      });
    });
    return operators;
  }

  endpointOf(index: number): string {
    return `${this.#server!.endpoint}/${index}`;
  }

  /** Says in which epoch of which deployment they are. */
  join(deployment: Deployment, epochId: Hex): void {
    this.#deployment = deployment;
    this.#epochId = epochId;
  }

  /** A share as its operator signs and serves it. */
  async signed(
    index: number,
    openingId: Hex,
    residues: RnsVector,
    epochId = this.#epochId!,
  ): Promise<Uint8Array> {
    const message = { epochId, openingId, root: commitShare(residues) };
    const signature = await signStatement(operatorAccount(index), this.#deployment!, {
      ...{ type: 'ShareCommitment', message },
    });
    return concatBytes([hexToBytes(signature), new Uint8Array(residues.buffer)]);
  }

  async keepShare(index: number, openingId: Hex, residues: RnsVector): Promise<void> {
    const shares = this.shares.get(openingId) ?? new Map<number, Uint8Array>();
    this.shares.set(openingId, shares);
    // In memory of its own: the signature is over all of the buffer.
    shares.set(index, await this.signed(index, openingId, residues.slice()));
  }

  keepBlob(bytes: Uint8Array): void {
    this.#blobs.set(blobDigest(bytes), bytes);
  }

  async #answer(
    holder: number,
    [resource, name, index]: readonly string[],
  ): Promise<Served | 'hang up'> {
    const { tampering } = this;
    if (tampering.offline?.includes(holder)) return 'hang up';
    const id: Hex = `0x${name}`;
    if (resource === 'blobs') {
      const bytes = this.#blobs.get(id);
      return bytes && (tampering.blob?.(bytes) ?? bytes);
    }
    const shares = this.shares.get(id);
    if (resource !== 'transcripts' || shares === undefined) return undefined;
    if (index === undefined) {
      const epochId = tampering.epochId ?? this.#epochId;
      const list = { openingId: id, epochId, indices: [...shares.keys()] };
      return new TextEncoder().encode(JSON.stringify(list));
    }
    const share = shares.get(Number(index));
    if (share === undefined || tampering.share === undefined) return share;
    return tampering.share({ holder, openingId: id, index: Number(index) }, share);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}

/** The residues of a share as it is served, in memory of their own. */
export const residuesOf = (served: Uint8Array): RnsVector =>
  new BigUint64Array(served.slice(65).buffer);

/** A share as it is served, with one bit of one residue flipped and the signature as it was. */
export function flipped(served: Uint8Array, residue = 0): Uint8Array {
  const bytes = served.slice();
  bytes[65 + 8 * residue] ^= 1;
  return bytes;
}

/** The signature in front of a share, in hex. */
export const signatureOf = (served: Uint8Array): Hex => bytesToHex(served.subarray(0, 65));
