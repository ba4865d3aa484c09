import {
  hashTypedData,
  isHex,
  recoverAddress,
  size,
  slice,
  type Address,
  type Hex,
  type LocalAccount,
} from 'viem';
import type { Deployment } from './client.ts';
import { ChainError, ChainErrorCode } from './errors.ts';
import type { RequestContract } from './state.ts';

/** The contracts that results are for: those that take requests, and the one that registers by proof. */
export type ResultContract = RequestContract | 'ciphertextRegistry';

/** What operators sign (docs/formats.md, Signatures), by the name of its struct. */
export type Statement =
  | {
      readonly type: 'SeedRequest';
      readonly message: { readonly proposalId: Hex; readonly peerId: Hex };
    }
  | {
      readonly type: 'ShareCommitment';
      readonly message: { readonly epochId: Hex; readonly openingId: Hex; readonly root: Hex };
    }
  | {
      readonly type: 'ChainView';
      readonly message: {
        readonly epochId: Hex;
        readonly height: bigint;
        readonly blockHash: Hex;
        readonly logsDigest: Hex;
      };
    }
  | {
      readonly type: 'Contribution';
      /** To a ceremony; hashes of the states before and after it. */
      readonly message: {
        readonly epochId: Hex;
        readonly ceremonyId: Hex;
        readonly previous: Hex;
        readonly next: Hex;
      };
    }
  | {
      readonly type: 'Result';
      readonly contract: ResultContract;
      /** The result of a key is its digest; that of a registration says what its proof guarantees. */
      readonly message: { readonly epochId: Hex; readonly requestId: Hex; readonly result: Hex };
    };

/** Length of a signature: r, s, v. */
export const signatureBytes = 65;

const bytes32 = (name: string) => ({ name, type: 'bytes32' });

const structs = {
  SeedRequest: [bytes32('proposalId'), { name: 'peerId', type: 'bytes' }],
  ShareCommitment: [bytes32('epochId'), bytes32('openingId'), bytes32('root')],
  ChainView: [
    bytes32('epochId'),
    { name: 'height', type: 'uint64' },
    bytes32('blockHash'),
    bytes32('logsDigest'),
  ],
  Contribution: [bytes32('epochId'), bytes32('ceremonyId'), bytes32('previous'), bytes32('next')],
  Result: [bytes32('epochId'), bytes32('requestId'), { name: 'result', type: 'bytes' }],
} as const satisfies Record<Statement['type'], unknown>;

/** Names of the domains, by contract. */
const domains = {
  epochManager: 'Keyloom EpochManager',
  keyManager: 'Keyloom KeyManager',
  evaluationKeyManager: 'Keyloom EvaluationKeyManager',
  ciphertextRegistry: 'Keyloom CiphertextRegistry',
  crsManager: 'Keyloom CrsManager',
  decryptionGateway: 'Keyloom DecryptionGateway',
} as const satisfies Record<'epochManager' | ResultContract, string>;

/** Order of secp256k1's group. */
const groupOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

function typedData({ chainId, addresses }: Deployment, statement: Statement) {
  const { type, message } = statement;
  const contract = type === 'Result' ? statement.contract : 'epochManager';
  const verifyingContract = addresses[contract];
  return {
    domain: { name: domains[contract], version: '1', chainId, verifyingContract },
    types: { [type]: structs[type] },
    primaryType: type,
    message: message as Record<string, unknown>,
  };
}

/** EIP-712 digest of a statement. */
export function statementDigest(deployment: Deployment, statement: Statement): Hex {
  return hashTypedData(typedData(deployment, statement));
}

/** Signs a statement: 65 bytes r ‖ s ‖ v with s in the lower half and v 27 or 28. Deterministic. */
export async function signStatement(
  account: LocalAccount,
  deployment: Deployment,
  statement: Statement,
): Promise<Hex> {
  return account.signTypedData(typedData(deployment, statement));
}

/**
 * The address that signed a statement, if the signature is one that the contracts accept.
 *
 * There is one accepted byte form per signature; without that, anybody could turn a signature into
 * a second one that some checks take and others refuse.
 *
 * @param signature untrusted
 * @throws ChainError SIGNATURE_MALFORMED on a wrong length, v, r or s, or one that recovers nobody
 */
export async function recoverSigner(
  deployment: Deployment,
  statement: Statement,
  signature: Hex,
): Promise<Address> {
  if (!isCanonicalSignature(signature)) throw malformed();
  try {
    return await recoverAddress({ hash: statementDigest(deployment, statement), signature });
  } catch (error) {
    throw malformed(error);
  }
}

/** True of 65 bytes in the one form that the contracts accept; they need not be anybody's signature. */
export function isCanonicalSignature(signature: Hex): boolean {
  if (!isHex(signature) || size(signature) !== signatureBytes) return false;
  if (signature.length !== 2 + 2 * signatureBytes) return false;
  const r = BigInt(slice(signature, 0, 32));
  const s = BigInt(slice(signature, 32, 64));
  const v = Number(slice(signature, 64, 65));
  return r > 0n && r < groupOrder && s > 0n && s <= groupOrder / 2n && (v === 27 || v === 28);
}

function malformed(cause?: unknown): ChainError {
  return new ChainError(
    ChainErrorCode.SIGNATURE_MALFORMED,
    'A signature must be 65 canonical bytes.',
    { cause },
  );
}
