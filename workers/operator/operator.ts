import type { Address, Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import { isAuthentic } from '../chain/authentic.ts';
import { connectGateway, type GatewayClient } from '../chain/client.ts';
import type { EndpointStatus } from '../chain/endpoint.ts';
import { ChainErrorCode } from '../chain/errors.ts';
import { TransactionSender } from '../chain/sender.ts';
import { GatewayWatcher } from '../chain/watcher.ts';
import { isKeyloomError } from '../errors.ts';
import { createHost } from '../net/host/index.ts';
import { loadIdentity } from '../store/keystore.ts';
import { StoreErrorCode } from '../store/errors.ts';
import { openStore, type Store } from '../store/store.ts';
import { answerPeers } from './openings/answers.ts';
import { Board } from './openings/board.ts';
import { OpenedValues } from './openings/opened-values.ts';
import { OwnCombinations } from './openings/own-combinations.ts';
import { CeremonyComputer } from './ceremony/computer.ts';
import { ChainState } from './chain-view/chain-state.ts';
import { capsOf, type OperatorConfig } from './config/config.ts';
import { mayDumpCore } from './core-dumps.ts';
import { answerHonestly, type Answering, type OperatorContext } from './context.ts';
import { OperatorError, OperatorErrorCode } from './errors.ts';
import { Damages } from './damages.ts';
import { checkHoldings } from './holdings.ts';
import { Follower } from './chain-view/follower.ts';
import { keepFees } from './fees/upkeep.ts';
import { ChainMonitor } from './health/chain.ts';
import { HealthReport } from './health/health.ts';
import { PeerMonitor } from './health/peers.ts';
import { startMetrics } from './metrics/metrics.ts';
import { observers } from './observing.ts';
import { defaultHttpLimits, serveHttp } from './public/http.ts';
import { KeyShares } from './committee/key-shares.ts';
import { createLog, type Log } from './log.ts';
import { knownPeers } from './committee/membership.ts';
import { ProgressBook } from './progress.ts';
import { keepSwept } from './public/sweep.ts';
import { PublicView } from './public/view.ts';
import { PendingBlobs } from './registration/pending-blobs.ts';
import { Registrations } from './registration/registrations.ts';
import { Verification } from './registration/verification.ts';
import { Verifier } from './registration/verifier.ts';
import { closeRestoration } from './restored.ts';
import { Seats } from './committee/seats.ts';
import { Slots } from './duties/slots.ts';
import { Seldom } from './seldom.ts';
import type { Tracing } from './tracing/tracing.ts';
import { pause, Wakeup } from './waiting.ts';
import { COMPARE_AFTER_MS, Comparisons } from './watchdog/comparisons.ts';
import { watch } from './watchdog/watchdog.ts';

/** Pause between attempts to reach the chain at the start. */
const CONNECT_PAUSE_MS = 1_000;
/** The same while there is no room on the disk. */
const ROOM_PAUSE_MS = 5_000;

/** Requests served at once. */
const REQUEST_SLOTS = 32;

/** How long a request has its place to itself: several times what one takes when all operators answer. */
const SLOT_LEASE_MS = 60_000;

/** The same for what is late, all of which others have: after a short while it only waits for them. */
const LATE_SLOTS = 4;
const LATE_LEASE_MS = 5_000;

/** Requests for evaluation keys served at once, and how long one has its place to itself. */
const EVALUATION_SLOTS = 2;
const EVALUATION_LEASE_MS = 600_000;

/** Ceremonies held at once, and how long one has its place to itself: each takes all cores in its turn. */
const CEREMONY_SLOTS = 1;
const CEREMONY_LEASE_MS = 3_600_000;

/** How long an opener may be silent, in time in which this operator was listening. */
const VALUE_PATIENCE_MS = 10_000;

/**
 * Entries that are kept in memory for peers and for status; all of them can be made again. More than
 * the shares of the requests that are served at once, which have at most 16 ciphertexts each.
 */
const BOARD_ENTRIES = 1_024;
const PROGRESS_ENTRIES = 1_024;

/** A running operator. */
export interface Operator {
  readonly http: { readonly host: string; readonly port: number };
  /** Rejects if the operator cannot go on; resolves once it has been stopped. */
  readonly ended: Promise<void>;
  /** Ends all work, closes connections and the store. */
  stop(): Promise<void>;
}

/**
 * Starts an operator.
 *
 * Everything it does follows from the chain's confirmed logs and its data directory, so a process
 * that was killed at any moment goes on where it was.
 *
 * @param options.answering what peers get that ask about openings; malicious twins have their own
 * @param options.signal aborts the start
 * @throws the coded error of what keeps it from starting; an unreachable chain only delays it
 */
export async function startOperator(
  config: OperatorConfig,
  passphrase: string,
  options: { answering?: Answering; signal?: AbortSignal } = {},
): Promise<Operator> {
  const stopping = new AbortController();
  const stopped = (): OperatorError =>
    new OperatorError(OperatorErrorCode.STOPPED, 'the operator is shutting down');
  options.signal?.addEventListener('abort', () => stopping.abort(stopped()), { once: true });
  // In order of their start; closed in the opposite order.
  const closers: (() => Promise<unknown> | void)[] = [];
  const stop = async (): Promise<void> => {
    stopping.abort(stopped());
    for (const close of closers.splice(0).reverse()) await close();
  };

  try {
    const identity = await loadIdentity(config.identity, passphrase);
    const account = privateKeyToAccount(identity.signerKey);
    const log = createLog(config.logLevel, { signer: account.address });
    log.info('starting');
    if (mayDumpCore() === true)
      log.warn(
        'a crash may write secrets to a disk: set the limit of core files to 0 (ulimit -c 0)',
      );
    const store = await openWithRoom(config, passphrase, log, stopping.signal);
    closers.push(() => store.close());
    const gateway = await connect(config, store.boundChainId, log, stopping.signal);
    const { endpoints } = gateway;
    store.bind({ chainId: gateway.chainId, gateway: config.gateway, signer: account.address });
    await closeRestoration(store, gateway, log, stopping.signal);

    const chain = new ChainState((state, event) => isAuthentic(gateway, state, event));
    const seldom = new Seldom();
    const host = await createHost({
      privateKey: identity.peerKey,
      listen: config.listen,
      isAllowed: (peerId) => knownPeers(chain.now, account.address).has(peerId),
      onFault: (peerId, error) => {
        const unsaid = seldom.due(`${peerId}/${error.code}`);
        if (unsaid !== undefined) log.warn({ peerId, err: error, unsaid }, 'fault of a peer');
      },
      onRefusal: (peerId, limit) => {
        const unsaid = seldom.due(`${peerId}/${limit}`);
        if (unsaid !== undefined)
          log.warn({ peerId, limit, unsaid }, 'a peer asks for more than it may have');
      },
    });
    closers.push(() => host.stop());
    const spendingCaps = capsOf(config);
    const sender = new TransactionSender({
      client: gateway.client,
      chainId: gateway.chainId,
      account,
      journal: store.transactions,
      pollMs: config.pollMs,
      caps: spendingCaps,
      onWarning: (error) => log.warn({ err: error }, 'sending is delayed'),
    });
    const lookedAfter = endpoints.run(stopping.signal);
    closers.push(() => lookedAfter);
    const watcher = new GatewayWatcher({
      source: endpoints,
      addresses: gateway.addresses,
      journal: store.blocks,
      confirmations: config.confirmations,
      pollMs: config.pollMs,
      fromBlock: gateway.deploymentBlock,
      onWarning: (error) => log.warn({ err: error }, 'reading the chain is delayed'),
    });
    const verifier = new Verifier();
    closers.push(() => verifier.close());
    const self = account.address;
    const verification = new Verification({ gateway, self, store, host, chain, verifier });
    const metrics = config.metrics && startMetrics();
    const tracing = await traced(config, account.address);
    closers.push(
      () => metrics?.stop(),
      () => tracing?.stop(),
    );
    const observer = observers([metrics?.observer ?? {}, tracing?.observer ?? {}]);
    const ceremonies = new CeremonyComputer();
    closers.push(() => ceremonies.close());
    const context: OperatorContext = {
      gateway,
      account,
      store,
      host,
      sender,
      log,
      damages: new Damages(log),
      progress: new ProgressBook(PROGRESS_ENTRIES, observer.onRequest),
      observer,
      requestSlots: new Slots(REQUEST_SLOTS, SLOT_LEASE_MS),
      lateSlots: new Slots(LATE_SLOTS, LATE_LEASE_MS),
      witnessSlots: new Slots(1, SLOT_LEASE_MS),
      evaluationSlots: new Slots(EVALUATION_SLOTS, EVALUATION_LEASE_MS),
      ceremonySlots: new Slots(CEREMONY_SLOTS, CEREMONY_LEASE_MS),
      submitDelayMs: config.submitDelayMs,
      largeOperationBytes: config.largeOperationBytes,
      valuePatienceMs: VALUE_PATIENCE_MS,
      stopping: stopping.signal,
      answering: options.answering ?? answerHonestly,
      ceremonies,
      checkedStates: new Set(),
      offeredFiles: new Set(),
      verification,
      values: new OpenedValues(),
      combinations: new OwnCombinations(),
      comparisons: new Comparisons(COMPARE_AFTER_MS),
      spendingCaps,
      evidenceTerms: config.evidence,
      evidenceKept: new Wakeup(),
      boards: {
        views: new Board(BOARD_ENTRIES),
        shares: new Board(BOARD_ENTRIES),
        results: new Board(BOARD_ENTRIES),
      },
    };
    const keyShares = new KeyShares(store);
    const seats = new Seats(context, chain, keyShares);
    await answerPeers({
      context,
      chain,
      place: (epochId, signal) => seats.place(epochId, signal),
    });
    const monitors = {
      chainMonitor: new ChainMonitor(context, config.confirmations, () => ownerIn(chain, account)),
      peerMonitor: new PeerMonitor(context, seats),
    };
    const { dataDir, health: limits } = config;
    const health = new HealthReport({ context, chain, seats, ...monitors, dataDir, limits });
    const ended = new Follower(context, chain, watcher, seats, keyShares).run();
    // Whoever awaits it learns of a failure; until somebody does, it must not end the process.
    ended.catch(() => health.workStopped('follower'));
    const checked = checkHoldings(context, chain, seats, keyShares, stopping.signal).catch(
      (error: unknown) => {
        if (!stopping.signal.aborted) log.error({ err: error }, 'what is held was not all checked');
      },
    );
    closers.push(() => checked);
    const pending = new PendingBlobs(store, chain);
    const swept = keepSwept(store, chain, pending, log, stopping.signal);
    closers.push(() => swept);
    const report = (error: unknown): void => {
      log.error({ err: error }, 'this operator does not look after evidence any more');
      if (!stopping.signal.aborted) health.workStopped('evidence');
    };
    const place = (epochId: Hex) => seats.placeIn(epochId);
    const compared = context.comparisons.run(context, place, stopping.signal).catch(report);
    const watched = watch(context, chain, stopping.signal).catch(report);
    closers.push(
      () => compared,
      () => watched,
    );
    const feesKept = keepFees(context, chain, config.settleEveryMs, stopping.signal);
    closers.push(() => feesKept);
    // The sender first: jobs may wait for it.
    closers.push(
      () => ended.catch(() => undefined),
      () => sender.stop(),
    );
    const seen = monitors.chainMonitor.run(stopping.signal);
    const hasCaughtUp = (): boolean => monitors.chainMonitor.sight.hasCaughtUp;
    const tried = monitors.peerMonitor.run(hasCaughtUp, stopping.signal);
    closers.push(
      () => seen,
      () => tried,
    );
    const { connectionsPerAddress } = config.http;
    const registrations = new Registrations(context, chain, seats, pending);
    const http = await serveHttp(
      new PublicView(context, chain, health, registrations),
      config.http,
      log,
      { ...defaultHttpLimits, connectionsPerAddress },
      metrics?.onAnswer,
    );
    closers.push(() => http.close());
    if (config.metrics !== undefined && metrics !== undefined) {
      const state = { context, chain, seats, ...monitors, health, dataDir };
      const served = await metrics.serve(state, config.metrics, log);
      closers.push(() => served.close());
    }

    const { address, port } = http.address;
    log.info({ peerId: host.peerId, listen: host.addresses(), http: http.address }, 'running');
    return { http: { host: address, port }, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Traces, if they are wanted: otherwise not even their code is loaded. */
async function traced({ tracing }: OperatorConfig, signer: Address): Promise<Tracing | undefined> {
  if (tracing === undefined) return undefined;
  const { startTracing } = await import('./tracing/tracing.ts');
  return startTracing(tracing.url, signer);
}

/** The account that registered this operator. */
function ownerIn({ now }: ChainState, { address }: { address: Address }): Address | undefined {
  return [...now.operators.values()].find(({ signer }) => signer === address)?.operator;
}

/** Opens the durable state; waits while there is no room for what a start writes. */
async function openWithRoom(
  { dataDir, transcriptBytes }: OperatorConfig,
  passphrase: string,
  log: Log,
  signal: AbortSignal,
): Promise<Store> {
  for (;;) {
    try {
      return await openStore(dataDir, passphrase, { transcriptBytes });
    } catch (error) {
      if (!isKeyloomError(error, StoreErrorCode.DISK_FULL)) throw error;
      log.error({ code: error.code, err: error }, 'waiting for room on the disk');
      await pause(ROOM_PAUSE_MS, signal);
    }
  }
}

/** Reaches the gateway, on the chain that the data is of if there is any; waits while no endpoint answers. */
async function connect(
  { rpcUrls, gateway }: OperatorConfig,
  expectedChainId: bigint | undefined,
  log: Log,
  signal: AbortSignal,
): Promise<GatewayClient> {
  const onChange = ({ index, host, inUse, fault }: EndpointStatus): void => {
    if (fault === undefined) log.info({ index, host, inUse }, 'an RPC endpoint is well');
    else log.warn({ index, host, fault }, 'an RPC endpoint fails');
  };
  for (;;) {
    try {
      return await connectGateway({ rpcUrls, gateway, expectedChainId, onChange });
    } catch (error) {
      if (!isKeyloomError(error, ChainErrorCode.RPC_UNREACHABLE)) throw error;
      log.warn({ err: error }, 'waiting for the chain');
      await pause(CONNECT_PAUSE_MS, signal);
    }
  }
}
