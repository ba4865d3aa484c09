import { decodeFunctionData, isAddressEqual, keccak256, sliceHex, type Abi, type Hex } from 'viem';

import { jsonOf, request } from '../../sdk/http.ts';
import { fetchBlob } from '../../sdk/index.ts';
import { serializeRegistration, type Registration } from '../../sdk/registrations.ts';
import { indicesIn } from '../../tasks/support/epochs.ts';
import { eventsOf } from '../../tasks/support/events.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import type { Member } from '../../tasks/support/operators.ts';
import {
  ciphertextRegistryAbi,
  decryptionGatewayAbi,
  keyManagerAbi,
} from '../../workers/chain/abi.ts';
import { registrationResult } from '../../workers/chain/ids.ts';
import {
  recoverSigner,
  signatureBytes,
  type ResultContract,
} from '../../workers/chain/typed-data.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import { originOf } from '../../workers/proofs/origins.ts';
import type { Statement } from './statements.ts';

const TIMEOUT_MS = 100_000;
/** More than a ciphertext or proof of the sets that this is run with has. */
const MAX_BYTES = 1 << 20;

/** What was signed, and by whom, as the transaction that recorded it has it. */
interface Certificate {
  readonly contract: ResultContract;
  readonly id: Hex;
  readonly result: Hex;
  readonly transaction: Hex;
  readonly signerBitmap: bigint;
  readonly signatures: Hex;
}

type Found = Pick<Certificate, 'contract' | 'id' | 'transaction'>;

/** Reads the certificates that there are on chain, each of them once. */
export class SignedResults {
  readonly #gateway: Gateway;
  readonly #epochId: Hex;
  readonly #members: readonly Member[];
  readonly #read = new Set<Hex>();
  readonly #registered: {
    handle: Hex;
    registration: Omit<Registration, 'ciphertext' | 'proof'>;
    digest: Hex;
    proofDigest: Hex;
  }[] = [];

  constructor(gateway: Gateway, epochId: Hex, members: readonly Member[]) {
    this.#gateway = gateway;
    this.#epochId = epochId;
    this.#members = members;
  }

  /** What operators have signed of what was recorded since the last time. */
  async collect(): Promise<Statement[]> {
    const found = (await this.#recorded()).filter(
      ({ transaction }) => !this.#read.has(transaction),
    );
    const statements: Statement[] = [];
    for (const one of found) {
      statements.push(...(await this.#statementsOf(await this.#certificateOf(one))));
      this.#read.add(one.transaction);
    }
    return statements;
  }

  /**
   * Has the latest registrations signed again by everybody. Who asks again must be given what was signed before,
   * whatever has happened to the operator since.
   */
  async collectAgain(most: number): Promise<Statement[]> {
    const statements: Statement[] = [];
    for (const { handle, registration, digest, proofDigest } of this.#registered.slice(-most)) {
      const blob = (wanted: Hex) =>
        fetchBlob(
          this.#members.map(({ endpoint }) => endpoint),
          wanted,
          {
            maxBytes: MAX_BYTES,
            patienceMs: TIMEOUT_MS,
          },
        );
      const isComputed = registration.origin === 'computed';
      const ciphertext = isComputed ? new Uint8Array() : await blob(digest);
      const body = serializeRegistration({
        ...registration,
        ciphertext,
        proof: await blob(proofDigest),
      });
      for (const member of this.#members) {
        const said = await post(member, body);
        if (said === undefined) continue;
        const result = registrationResult(said);
        const signer = await this.#signerOf('ciphertextRegistry', handle, result, said.signature);
        if (signer === undefined || !isAddressEqual(signer, member.signer)) continue;
        const source = `answer of operator ${member.index}`;
        statements.push(statement(member.index, handle, result, source));
      }
    }
    return statements;
  }

  async #recorded(): Promise<Found[]> {
    const gateway = this.#gateway;
    const { decryptionGateway, keyManager, ciphertextRegistry } = gateway.addresses;
    const decryptions = { address: decryptionGateway, abi: decryptionGatewayAbi } as const;
    const [publicly, forUsers, keys, ciphertexts] = await Promise.all([
      eventsOf(gateway, { ...decryptions, eventName: 'PublicDecryptionResponded' }),
      eventsOf(gateway, { ...decryptions, eventName: 'UserDecryptionResponded' }),
      eventsOf(gateway, {
        ...{ address: keyManager, abi: keyManagerAbi, eventName: 'PublicKeyRecorded' },
      }),
      eventsOf(gateway, {
        address: ciphertextRegistry,
        abi: ciphertextRegistryAbi,
        eventName: 'CiphertextRegistered',
      }),
    ]);
    return [
      ...[...publicly, ...forUsers].map(({ args, transactionHash: transaction }) => ({
        ...{ contract: 'decryptionGateway' as const, id: args.requestId, transaction },
      })),
      ...keys.map(({ args, transactionHash: transaction }) => ({
        ...{ contract: 'keyManager' as const, id: args.keyId, transaction },
      })),
      ...ciphertexts.map(({ args, transactionHash: transaction }) => ({
        ...{ contract: 'ciphertextRegistry' as const, id: args.handle, transaction },
      })),
    ];
  }

  async #certificateOf({ contract, id, transaction }: Found): Promise<Certificate> {
    const { input } = await this.#gateway.client.getTransaction({ hash: transaction });
    const abi: Abi = [...decryptionGatewayAbi, ...keyManagerAbi, ...ciphertextRegistryAbi];
    const { args = [] } = decodeFunctionData({ abi, data: input });
    const [signerBitmap, signatures] = args.slice(-2) as [bigint, Hex];
    const what = { contract, id, transaction, signerBitmap, signatures };
    if (contract !== 'ciphertextRegistry') return { ...what, result: args[1] as Hex };
    const proven = args[0] as Proven;
    const { keyId, owner, digest, proofDigest } = proven;
    const origin = originOf(proven.origin) as Registration['origin'];
    const registration = { keyId, owner, origin };
    this.#registered.push({ handle: id, registration, digest, proofDigest });
    return { ...what, result: registrationResult(proven) };
  }

  async #statementsOf(certificate: Certificate): Promise<Statement[]> {
    const { contract, id, result, transaction, signerBitmap, signatures } = certificate;
    const statements: Statement[] = [];
    for (const [at, index] of indicesIn(signerBitmap).entries()) {
      const signature = sliceHex(signatures, signatureBytes * at, signatureBytes * (at + 1));
      const signer = await this.#signerOf(contract, id, result, signature);
      const member = this.#members[index - 1];
      if (signer !== undefined && isAddressEqual(signer, member.signer))
        statements.push(statement(index, id, result, `transaction ${transaction}`));
    }
    return statements;
  }

  #signerOf(contract: ResultContract, requestId: Hex, result: Hex, signature: Hex) {
    const message = { epochId: this.#epochId, requestId, result };
    return recoverSigner(this.#gateway, { type: 'Result', contract, message }, signature).catch(
      () => undefined,
    );
  }
}

interface Proven {
  readonly keyId: Hex;
  readonly digest: Hex;
  readonly owner: Hex;
  readonly limbs: number;
  readonly noiseBits: number;
  readonly origin: number;
  readonly proofDigest: Hex;
  readonly inputs: readonly Hex[];
}

const statement = (signer: number, id: Hex, result: Hex, source: string): Statement => ({
  ...{ signer, subject: `result of ${id}`, content: keccak256(result), source },
});

async function post({ endpoint }: Member, body: Uint8Array) {
  try {
    const answer = await request(endpoint, '/registrations', {
      ...{ method: 'POST', body, timeoutMs: TIMEOUT_MS },
    });
    if (answer.status !== 200) return undefined;
    return jsonOf(answer, endpoint) as {
      limbs: number;
      noiseBits: number;
      inputs: Hex[];
      signature: Hex;
    };
  } catch (error) {
    if (!isKeyloomError(error)) throw error;
    return undefined;
  }
}
