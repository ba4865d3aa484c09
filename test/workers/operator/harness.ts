import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bytesToHex, type Hex, type LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach } from 'vitest';

import type { Deployment } from '../../../workers/chain/client.ts';
import { defaultCaps } from '../../../workers/chain/fees.ts';
import { createHost, generatePeerKey, peerIdToBytes } from '../../../workers/net/host/index.ts';
import { codec } from '../../../workers/net/setup/codec.ts';
import { answerPeers } from '../../../workers/operator/openings/answers.ts';
import { Board } from '../../../workers/operator/openings/board.ts';
import { OpenedValues } from '../../../workers/operator/openings/opened-values.ts';
import { OwnCombinations } from '../../../workers/operator/openings/own-combinations.ts';
import { CeremonyComputer } from '../../../workers/operator/ceremony/computer.ts';
import type { ChainState } from '../../../workers/operator/chain-view/chain-state.ts';
import { answerHonestly, type OperatorContext } from '../../../workers/operator/context.ts';
import { OperatorError, OperatorErrorCode } from '../../../workers/operator/errors.ts';
import { KeyShares } from '../../../workers/operator/committee/key-shares.ts';
import { Damages } from '../../../workers/operator/damages.ts';
import type { Log } from '../../../workers/operator/log.ts';
import {
  knownPeers,
  membershipIn,
  type Membership,
} from '../../../workers/operator/committee/membership.ts';
import { observers, type Observer } from '../../../workers/operator/observing.ts';
import { ProgressBook } from '../../../workers/operator/progress.ts';
import { encodeSetKeys, secretName, type Seat } from '../../../workers/operator/committee/seat.ts';
import { Seats } from '../../../workers/operator/committee/seats.ts';
import { PendingBlobs } from '../../../workers/operator/registration/pending-blobs.ts';
import { Registrations } from '../../../workers/operator/registration/registrations.ts';
import { Verification } from '../../../workers/operator/registration/verification.ts';
import { Verifier } from '../../../workers/operator/registration/verifier.ts';
import { Slots } from '../../../workers/operator/duties/slots.ts';
import { Wakeup } from '../../../workers/operator/waiting.ts';
import { Comparisons } from '../../../workers/operator/watchdog/comparisons.ts';
import { defaultEvidenceTerms } from '../../../workers/operator/watchdog/terms.ts';
import { committeeOf } from '../../../workers/sharing/committee.ts';
import { createDealing, servableSeeds } from '../../../workers/sharing/dealing.ts';
import {
  deriveSetKeys,
  epochId as epochIdOf,
  setupDigest as setupDigestOf,
} from '../../../workers/sharing/setup.ts';
import { insecureFastKdf } from '../../../workers/store/encryption.ts';
import { openStore } from '../../../workers/store/store.ts';
import { quick } from '../net/support.ts';
import { bitmapOf, digestOf, FakeChain } from './fake-chain.ts';

export const proposalId = digestOf('proposal');

export const signerAccount = (index: number) => privateKeyToAccount(digestOf(`signer ${index}`));

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** An operator in this process: real store, hosts, keys and state; only the chain is not. */
export interface TestOperator {
  readonly index: number;
  readonly context: OperatorContext;
  readonly chain: ChainState;
  readonly seats: Seats;
  readonly keyShares: KeyShares;
  readonly pending: PendingBlobs;
  readonly registrations: Registrations;
  readonly lines: LogLine[];
  /** Its seat in the epoch. */
  readonly seat: () => Seat;
  /** Its place in the proposal. */
  readonly membership: () => Membership;
}

export interface TestCommittee {
  readonly chain: FakeChain;
  readonly epochId: Hex;
  readonly setupDigest: Hex;
  readonly operators: readonly TestOperator[];
  /** The operator with a committee index. */
  readonly at: (index: number) => TestOperator;
  /** Freezes and activates the epoch of the dealings that were made at the start. */
  readonly activate: () => void;
  /** Has an operator hold the seeds and set keys that it should, as after its set-up. */
  readonly giveKeys: (index: number) => void;
}

export interface CommitteeOptions {
  /** Parts of an operator's context that deviate, by index. */
  readonly deviations?: Readonly<Record<number, Partial<OperatorContext>>>;
  /** Operators that answer no questions; a test may register providers of its own at their hosts. */
  readonly mute?: readonly number[];
  /** Operators without set keys. */
  readonly keyless?: readonly number[];
  /** Who is told of an operator's work. */
  readonly observe?: (index: number) => readonly Observer[];
  /** Only proposed: no set keys, no epoch. */
  readonly proposedOnly?: boolean;
  /** The epoch of a real deployment that the committee is that of. */
  readonly anchor?: Anchor;
}

/** Where contracts have the same epoch: what they say of it and the harness would invent. */
export interface Anchor {
  readonly deployment: Deployment;
  readonly proposalId: Hex;
  /** Dealers whose dealings count. */
  readonly standing: readonly number[];
  readonly account: (index: number) => LocalAccount;
}

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A signal that is aborted after the test at the latest. */
export function testSignal(): AbortSignal {
  const controller = new AbortController();
  closers.push(() => controller.abort(stopped()));
  return controller.signal;
}

export const stopped = (): OperatorError =>
  new OperatorError(OperatorErrorCode.STOPPED, 'the test is over');

export function recordingLog(lines: LogLine[] = []): Log {
  const at =
    (level: LogLine['level']) =>
    (fields: Record<string, unknown>, message: string): void => {
      lines.push({ level, fields, message });
    };
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { ...log, child: () => recordingLog(lines) } as unknown as Log;
}

/** A store in a directory of its own, closed and removed after the test. */
export async function temporaryStore() {
  const directory = mkdtempSync(join(tmpdir(), 'keyloom-operator-'));
  closers.push(() => rmSync(directory, { recursive: true, force: true }));
  const store = await openStore(directory, 'passphrase', { kdf: insecureFastKdf });
  closers.push(() => store.close());
  return store;
}

/** The dealings that the epoch of this harness is made of, by dealer; the same each time. */
export function fixedDealings(n: number, of: Hex = proposalId) {
  const committee = committeeOf(n);
  let draws = 0;
  const random = (length: number): Uint8Array => {
    const hash = createHash('shake256', { outputLength: length });
    return Uint8Array.from(hash.update(`harness/${draws++}`).digest());
  };
  const dealingOf = (dealer: number) => {
    const { seeds, hashes, root } = createDealing(committee, of, dealer, random);
    return { seeds, hashes: hashes.map((hash) => Uint8Array.from(hash)), root };
  };
  return new Map(Array.from({ length: n }, (_, at) => [at + 1, dealingOf(at + 1)] as const));
}

/** n operators that know each other, in an active epoch unless told otherwise. */
export async function startCommittee(
  n: number,
  options: CommitteeOptions = {},
): Promise<TestCommittee> {
  const { anchor } = options;
  const chain = new FakeChain(anchor?.deployment);
  const indices = Array.from({ length: n }, (_, at) => at + 1);
  const proposed = anchor?.proposalId ?? proposalId;
  const standing = anchor?.standing ?? indices;
  const operators = await Promise.all(indices.map((index) => startOperator(chain, index, options)));
  const accounts = indices.map(anchor?.account ?? signerAccount);
  const signers = accounts.map((account) => account.address);

  chain.emit(
    ...operators.map(({ context: { host } }, at) => ({
      eventName: 'OperatorRegistered' as const,
      args: {
        operator: signers[at],
        signer: signers[at],
        peerId: bytesToHex(peerIdToBytes(host.peerId)),
        multiaddr: host.addresses()[0],
        endpoint: '',
      },
    })),
  );
  chain.emit({
    eventName: 'EpochProposed',
    args: { proposalId: proposed, operators: signers, signers, deadline: 10n ** 10n },
  });
  for (const { context, chain: view } of operators) {
    const peers = knownPeers(view.now, context.account.address);
    context.host.setPeers([...peers].map(([peerId, { multiaddr }]) => ({ peerId, multiaddr })));
  }

  const committee = committeeOf(n);
  const dealings = fixedDealings(n, proposed);
  const roots = standing.map((index) => dealings.get(index)!.root);
  const setupDigest = setupDigestOf(committee, proposed, standing, roots);
  const { chainId, addresses } = chain;
  const { epochManager } = addresses;
  const epochId = epochIdOf({ chainId, epochManager, signers, setupDigest });
  const activate = (): void => {
    chain.emit(
      ...roots.map((root, at) => ({
        eventName: 'DealingPosted' as const,
        args: { proposalId: proposed, dealer: standing[at], root },
      })),
      {
        eventName: 'EpochFrozen',
        args: {
          ...{ proposalId: proposed, epochId, setupDigest },
          standingBitmap: bitmapOf(standing),
        },
      },
      { eventName: 'EpochActivated', args: { epochId } },
    );
    for (const { seats } of operators) seats.refresh();
  };
  const giveKeys = (index: number): void => {
    const { secrets } = operators[index - 1].context.store;
    const keys = deriveSetKeys(committee, index, setupDigest, standing, (dealer, set) =>
      dealings.get(dealer)!.seeds.get(set),
    );
    secrets.put(secretName.setKeys(epochId), encodeSetKeys(keys));
    for (const dealer of standing) {
      const { hashes, seeds } = dealings.get(dealer)!;
      const part = { hashes, seeds: servableSeeds(committee, index, dealer, seeds) };
      secrets.put(secretName.seeds(proposed, dealer), codec.encodeAnswer(part));
    }
  };
  if (options.proposedOnly !== true) {
    for (const index of indices) if (!options.keyless?.includes(index)) giveKeys(index);
    activate();
  }
  return {
    ...{ chain, epochId, setupDigest, operators, activate, giveKeys },
    at: (index) => operators[index - 1],
  };
}

async function startOperator(
  chain: FakeChain,
  index: number,
  options: CommitteeOptions,
): Promise<TestOperator> {
  const lines: LogLine[] = [];
  const account = (options.anchor?.account ?? signerAccount)(index);
  const view = chain.follow();
  const store = await temporaryStore();
  const host = await createHost({
    privateKey: await generatePeerKey(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    isAllowed: (peerId) => knownPeers(view.now, account.address).has(peerId),
    limits: quick,
  });
  closers.push(() => host.stop());
  const gateway = chain.client();
  const verifier = new Verifier();
  closers.push(() => verifier.close());
  const self = account.address;
  const ceremonies = new CeremonyComputer();
  closers.push(() => ceremonies.close());
  const observer = observers(options.observe?.(index) ?? []);
  const context: OperatorContext = {
    gateway,
    account,
    store,
    host,
    sender: chain.sender(account.address),
    log: recordingLog(lines),
    damages: new Damages(recordingLog(lines)),
    progress: new ProgressBook(64, observer.onRequest),
    observer,
    requestSlots: new Slots(8, 60_000),
    lateSlots: new Slots(2, 60_000),
    witnessSlots: new Slots(1, 60_000),
    ceremonySlots: new Slots(1, 60_000),
    ceremonies,
    checkedStates: new Set(),
    offeredFiles: new Set(),
    submitDelayMs: 0,
    stopping: testSignal(),
    answering: answerHonestly,
    verification: new Verification({ gateway, self, store, host, chain: view, verifier }),
    values: new OpenedValues(),
    combinations: new OwnCombinations(),
    comparisons: new Comparisons(0),
    spendingCaps: defaultCaps,
    evidenceTerms: defaultEvidenceTerms,
    evidenceKept: new Wakeup(),
    evaluationSlots: new Slots(2, 60_000),
    largeOperationBytes: 2 ** 20,
    valuePatienceMs: 10_000,
    boards: { views: new Board(64), shares: new Board(64), results: new Board(64) },
    ...options.deviations?.[index],
  };
  const keyShares = new KeyShares(store);
  const seats = new Seats(context, view, keyShares);
  if (!options.mute?.includes(index)) {
    await answerPeers({
      context,
      chain: view,
      place: (epochId, signal) => seats.place(epochId, signal),
    });
  }
  const pending = new PendingBlobs(store, view);
  const registrations = new Registrations(context, view, seats, pending);
  return {
    ...{ index, context, chain: view, seats, keyShares, lines, pending, registrations },
    seat: () => {
      const [epochId] = view.now.epochs.keys();
      return seats.get(epochId)!;
    },
    membership: () => membershipIn([...view.now.proposals.values()][0], account.address)!,
  };
}
