import { keccak256, stringToHex, type Address, type Hex } from 'viem';

import type { EndpointStatus } from '../../../workers/chain/endpoint.ts';
import type { Deployment, GatewayAddresses, GatewayClient } from '../../../workers/chain/client.ts';
import type { GatewayEvent } from '../../../workers/chain/events.ts';
import { apply } from '../../../workers/chain/reducer.ts';
import type { TransactionSender } from '../../../workers/chain/sender.ts';
import { Spending } from '../../../workers/chain/spending.ts';
import { emptyState, type ProposalEntry } from '../../../workers/chain/state.ts';
import type { GatewayUpdate } from '../../../workers/chain/watcher.ts';
import { ChainState } from '../../../workers/operator/chain-view/chain-state.ts';

export type Block = GatewayUpdate & { kind: 'block' };

/** A call of a contract, as the fake sender gets it. */
export interface Call {
  readonly functionName: string;
  readonly args: readonly unknown[];
}

/** An event with the fields that the reducer reads; those that only contracts use may be absent. */
export interface Happening {
  readonly eventName: GatewayEvent['eventName'];
  readonly args: Record<string, unknown>;
}

export const digestOf = (text: string): Hex => keccak256(stringToHex(text));

const address = (last: number): Address => `0x${last.toString(16).padStart(40, '0')}`;

const invented: Deployment = {
  chainId: 31337n,
  addresses: {
    decryptionGateway: address(0xa1),
    epochManager: address(0xa2),
    keyManager: address(0xa3),
    ciphertextRegistry: address(0xa4),
    operatorRegistry: address(0xa5),
    evaluationKeyManager: address(0xa6),
    crsManager: address(0xa8),
  },
};

/** A chain without contracts: each call of an operator becomes the event that it would cause. */
export class FakeChain {
  readonly chainId: bigint;
  readonly addresses: GatewayAddresses;
  readonly blocks: Block[] = [];
  /** Every call that was sent, with its sender. */
  readonly calls: (Call & { readonly from: Address })[] = [];
  /** While set, calls wait for it before they are mined. */
  congestion: Promise<void> | undefined;
  /** Timestamp in seconds until which can be attested to what was answered. */
  attestableUntil = 10n ** 10n;
  /** Of the latest block, in seconds. */
  timestamp = 1_700_000_000n;
  baseFeeWei = 1n;
  /** Of every account. */
  balanceWei = 10n ** 18n;
  feesWei = 0n;
  /** Why the endpoint fails, if it does. */
  outage: Error | undefined;
  readonly #state = emptyState();
  readonly #followers: ChainState[] = [];

  /** @param deployment what signatures are for */
  constructor({ chainId, addresses }: Deployment = invented) {
    this.chainId = chainId;
    this.addresses = addresses;
  }

  /** A view of the chain that is told of all blocks, those so far first. */
  follow(): ChainState {
    const follower = new ChainState(() => true);
    for (const block of this.blocks) follower.apply(block);
    this.#followers.push(follower);
    return follower;
  }

  /** Makes a block of these events, which all followers see as confirmed at once. */
  emit(...happenings: Happening[]): Block {
    const height = BigInt(this.blocks.length + 1);
    const block: Block = {
      kind: 'block',
      height,
      hash: digestOf(`block ${height}`),
      logsDigest: digestOf(`logs ${height}`),
      events: happenings as unknown as GatewayEvent[],
    };
    this.blocks.push(block);
    for (const event of block.events) apply(this.#state, event, height);
    for (const follower of this.#followers) follower.apply(block);
    return block;
  }

  /** How operators' endpoints are doing, as if they had several. */
  endpointStatuses: EndpointStatus[] = [];
  /** The last block that more than one of their endpoints has; undefined for the latest. */
  secondedHead: bigint | undefined;

  /** The part of a client that operators read. */
  client(): GatewayClient {
    const reader = <T>(read: (id: Hex) => T) => {
      return async ([id]: readonly [Hex]): Promise<T> => {
        if (this.outage !== undefined) throw this.outage;
        return read(id);
      };
    };
    const pending = (state: string | undefined): number => (state === 'pending' ? 1 : 2);
    const { epochs, keys, evaluationKeys, requests, userDecryptions } = this.#state;
    const requestOf = (id: Hex) => requests.get(id) ?? userDecryptions.get(id);
    const standing = reader((id) => ({
      state: pending((keys.get(id) ?? evaluationKeys.get(id) ?? requestOf(id))?.state),
      ...{ account: address(0xb1), deadline: this.attestableUntil, signers: 0 },
    }));
    const answered = <T>(value: () => T) => {
      return async (): Promise<T> => {
        if (this.outage !== undefined) throw this.outage;
        return value();
      };
    };
    const contracts = {
      epochManager: {
        read: {
          proposal: reader((id) => this.#proposal(id)),
          epoch: reader((id) => ({ confirmations: bitmapOf(epochs.get(id)!.confirmations) })),
        },
      },
      keyManager: {
        read: { key: reader((id) => ({ state: pending(keys.get(id)?.state) })), request: standing },
      },
      evaluationKeyManager: {
        read: {
          evaluationKeys: reader((id) => ({ state: pending(evaluationKeys.get(id)?.state) })),
          request: standing,
        },
      },
      slashingManager: { address: address(0xa7) },
      feeVault: { read: { balanceOf: answered(() => this.feesWei) } },
      decryptionGateway: { read: { request: standing } },
    };
    const height = (): bigint => BigInt(this.blocks.length);
    const client = {
      getBlockNumber: answered(height),
      getBlock: answered(() => {
        return { number: height(), timestamp: this.timestamp, baseFeePerGas: this.baseFeeWei };
      }),
      getBalance: answered(() => this.balanceWei),
      estimateMaxPriorityFeePerGas: answered(() => 0n),
    };
    const { chainId, addresses } = this;
    const seconded = async (head: bigint): Promise<bigint> =>
      this.secondedHead !== undefined && this.secondedHead < head ? this.secondedHead : head;
    const endpoints = { statuses: () => this.endpointStatuses, pick: () => ({ seconded }) };
    const made = { chainId, addresses, contracts, client, endpoints, deploymentBlock: 0n };
    return made as unknown as GatewayClient;
  }

  /** A sender whose calls happen at once, or when the congestion ends. */
  sender(from: Address): TransactionSender {
    const submit = async (_: string, call: Call, isDone: () => Promise<boolean>) => {
      if (await isDone()) return 'already-done';
      await this.congestion;
      if (await isDone()) return 'already-done';
      const { functionName, args } = call;
      this.calls.push({ functionName, args, from });
      this.emit(this.#effect(from, call));
      return undefined;
    };
    return {
      submit,
      spending: new Spending(),
      longestPendingMs: 0,
    } as unknown as TransactionSender;
  }

  #proposal(id: Hex) {
    const { phase, signers, roots, acknowledgements } = this.#state.proposals.get(id)!;
    const members = signers.map((_, at) => at + 1);
    const acknowledging = (dealer: number): number[] =>
      members.filter((member) => (acknowledgements.get(member) ?? 0n) & bitmapOf([dealer]));
    return {
      phase: phase === 'proposed' ? 1 : 2,
      signers,
      roots: members.map((index) => roots.get(index) ?? `0x${'00'.repeat(32)}`),
      acknowledgements: members.map((dealer) => bitmapOf(acknowledging(dealer))),
    };
  }

  #effect(from: Address, { functionName, args }: Call): Happening {
    const memberOf = ({ signers }: Pick<ProposalEntry, 'signers'>): number =>
      signers.indexOf(from) + 1;
    const [id] = args as [Hex];
    switch (functionName) {
      case 'postDealing': {
        const dealer = memberOf(this.#state.proposals.get(id)!);
        return { eventName: 'DealingPosted', args: { proposalId: id, dealer, root: args[1] } };
      }
      case 'acknowledge': {
        const member = memberOf(this.#state.proposals.get(id)!);
        const fields = { proposalId: id, member, dealerBitmap: args[1] };
        return { eventName: 'DealingsAcknowledged', args: fields };
      }
      case 'confirm': {
        const member = memberOf(this.#state.epochs.get(id)!);
        return { eventName: 'EpochConfirmed', args: { epochId: id, member } };
      }
      case 'recordPublicKey':
        return {
          eventName: 'PublicKeyRecorded',
          args: { keyId: id, digest: args[1], signerBitmap: args[2] },
        };
      case 'respond': {
        const eventName = this.#state.requests.has(id)
          ? 'PublicDecryptionResponded'
          : 'UserDecryptionResponded';
        return { eventName, args: { requestId: id, result: args[1], signerBitmap: args[2] } };
      }
      case 'recordEvaluationKeys':
        return {
          eventName: 'EvaluationKeysRecorded',
          args: { requestId: id, digests: args[1], signerBitmap: args[2] },
        };
      default:
        throw new Error(`no effect of ${functionName}`);
    }
  }
}

export function bitmapOf(indices: Iterable<number>): bigint {
  return [...indices].reduce((bits, index) => bits | (1n << BigInt(index - 1)), 0n);
}
