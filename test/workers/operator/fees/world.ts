import { zeroAddress, zeroHash, type Address, type Hex } from 'viem';

import { ChainError, ChainErrorCode } from '../../../../workers/chain/errors.ts';
import type { RequestContract } from '../../../../workers/chain/state.ts';
import type { OperatorContext } from '../../../../workers/operator/context.ts';
import { observers } from '../../../../workers/operator/observing.ts';
import { digestOf, FakeChain } from '../fake-chain.ts';
import { recordingLog, signerAccount, temporaryStore, type LogLine } from '../harness.ts';

/** Timestamps in seconds: of the start, and the windows. */
export const START = 1_000_000n;
export const RESPONSE = 3_600n;
export const ATTESTATION = 600n;

interface Record {
  epochId: Hex;
  deadline: bigint;
  account: Address;
  signers: number;
  resultHash: Hex;
}

/** A call that an operator sent, by its committee index. */
export interface Sent {
  readonly by: number;
  readonly work: string;
  readonly contract: Address;
  readonly ids: readonly Hex[];
}

/**
 * Requests and their fees as the contracts keep them, and operators that see confirmed blocks of it. What
 * the contracts would refuse throws in the test, unless it is told that others are faster.
 */
export class FeeWorld {
  readonly chain = new FakeChain();
  readonly sent: Sent[] = [];
  now = START;
  /** Whether blocks are confirmed at once; otherwise the operators do not hear of what they sent. */
  confirms = true;
  /** How many requests fit under the sender's cap of gas. */
  gasFor = 128;
  /** Called when something is about to be sent. */
  beforeSending: () => void = () => undefined;
  readonly #records = new Map<Hex, Record>();
  readonly #signers = [1, 2, 3, 4].map((index) => signerAccount(index).address);

  /** An epoch of four with these signers; operators 1 to 4 if none are named. */
  epoch(name: string, signers: readonly Address[] = this.#signers): Hex {
    const [proposalId, epochId] = [digestOf(`proposal ${name}`), digestOf(`epoch ${name}`)];
    const setupDigest = digestOf(`set-up ${name}`);
    this.chain.emit(
      { eventName: 'EpochProposed', args: { proposalId, operators: signers, signers } },
      { eventName: 'EpochFrozen', args: { proposalId, epochId, setupDigest, standingBitmap: 15n } },
      { eventName: 'EpochActivated', args: { epochId } },
    );
    return epochId;
  }

  /** A request for decryption, or for a key. */
  request(name: string, epochId: Hex, contract: RequestContract = 'decryptionGateway'): Hex {
    const id = digestOf(name);
    const deadline = this.now + RESPONSE;
    const account = '0x00000000000000000000000000000000000000b1';
    this.#records.set(id, { epochId, deadline, account, signers: 0, resultHash: zeroHash });
    if (contract === 'keyManager')
      this.chain.emit({ eventName: 'KeyRequested', args: { keyId: id, epochId, deadline } });
    else
      this.chain.emit({
        eventName: 'PublicDecryptionRequested',
        args: { requestId: id, epochId, keyId: zeroHash, handles: [], positions: [0], deadline },
      });
    return id;
  }

  /** Answers a request with a result of which these are the signers. */
  answer(id: Hex, resultHash: Hex, result: Hex, signers: number, isKey = false): void {
    Object.assign(this.#records.get(id)!, {
      resultHash,
      signers,
      deadline: this.now + ATTESTATION,
    });
    const signerBitmap = BigInt(signers);
    if (isKey)
      this.chain.emit({
        eventName: 'PublicKeyRecorded',
        args: { keyId: id, digest: result, signerBitmap },
      });
    else
      this.chain.emit({
        eventName: 'PublicDecryptionResponded',
        args: { requestId: id, result, signerBitmap },
      });
  }

  record(id: Hex): Record {
    return this.#records.get(id)!;
  }

  /** An operator that looks after fees: with a store and a sender, and nothing else. */
  async operator(index: number) {
    const lines: LogLine[] = [];
    const { addresses } = this.chain;
    const reader = { read: { request: async ([id]: [Hex]) => this.#view(id) } };
    const context = {
      gateway: {
        addresses,
        client: { getBlock: async () => ({ timestamp: this.now }) },
        contracts: {
          ...{ keyManager: reader, evaluationKeyManager: reader, decryptionGateway: reader },
        },
      },
      account: signerAccount(index),
      store: await temporaryStore(),
      log: recordingLog(lines),
      observer: observers([]),
      sender: {
        submit: async (
          _: string,
          call: { address: Address; functionName: string; args: readonly [Hex[]] },
          isDone: () => Promise<boolean>,
        ) => {
          if (await isDone()) return 'already-done';
          this.beforeSending();
          this.#execute(index, call);
          return undefined;
        },
      },
    } as unknown as OperatorContext;
    return { context, lines, view: this.chain.follow() };
  }

  #view(id: Hex) {
    const { deadline, ...record } = this.#records.get(id)!;
    const state = record.signers !== 0 ? 2 : this.now > deadline ? 3 : 1;
    return { ...record, deadline, state };
  }

  #execute(
    by: number,
    call: { address: Address; functionName: string; args: readonly [Hex[]] },
  ): void {
    const { address: contract, functionName: work, args } = call;
    const [ids] = args;
    if (ids.length === 0 || ids.length > 128 || new Set(ids).size !== ids.length)
      throw new Error(`a batch of ${ids.length}`);
    if (ids.length > this.gasFor)
      throw new ChainError(ChainErrorCode.GAS_CAP_EXCEEDED, 'The transaction needs too much gas.');
    // What others were faster with is left out, but for attestations.
    const all = ids.map((id) => this.#records.get(id)!);
    const records = all.filter(({ account }) => work === 'attest' || account !== zeroAddress);
    if (records.length === 0)
      throw new ChainError(ChainErrorCode.REVERTED, 'The contract refuses the transaction.');
    for (const { epochId, account, deadline, signers } of records) {
      const isOpen =
        account !== zeroAddress &&
        (work === 'attest'
          ? signers !== 0 && this.now <= deadline
          : this.now > deadline && (signers !== 0) === (work === 'settle'));
      if (!isOpen || epochId !== records[0].epochId)
        throw new ChainError(ChainErrorCode.REVERTED, 'The contract refuses the transaction.');
    }
    this.sent.push({ by, work, contract, ids });
    const signer = signerAccount(by).address;
    for (const record of records)
      if (work === 'attest') record.signers |= 1 << (by - 1);
      else record.account = zeroAddress;
    if (!this.confirms) return;
    if (work === 'attest')
      this.chain.emit({ eventName: 'RequestsAttested', args: { requestIds: ids, signer } });
    if (work === 'settle')
      this.chain.emit({ eventName: 'RequestsSettled', args: { requestIds: ids } });
    if (work === 'expire')
      this.chain.emit(
        ...ids.map((requestId) => ({
          eventName: 'RequestExpired' as const,
          args: { requestId, payer: zeroAddress },
        })),
      );
  }
}
