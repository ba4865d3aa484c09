import { Counter, Gauge, type Registry } from 'prom-client';

import type { ChainState } from '../chain-view/chain-state.ts';
import { knownPeers } from '../committee/membership.ts';
import type { Seats } from '../committee/seats.ts';
import type { OperatorContext } from '../context.ts';
import type { Slots } from '../duties/slots.ts';
import { ownRequests } from '../fees/requests.ts';
import type { ChainMonitor } from '../health/chain.ts';
import { diskRoom } from '../health/disk.ts';
import type { HealthReport } from '../health/health.ts';
import type { PeerMonitor } from '../health/peers.ts';
import { HealthReason } from '../health/reasons.ts';
import { limitNames } from '../../net/host/index.ts';

/** What the state of an operator is read from. */
export interface StateSources {
  readonly context: OperatorContext;
  readonly chain: ChainState;
  readonly seats: Seats;
  readonly chainMonitor: ChainMonitor;
  readonly peerMonitor: PeerMonitor;
  readonly health: HealthReport;
  readonly dataDir: string;
}

/**
 * Registers metrics of how an operator stands.
 *
 * @returns what brings them up to date, before they are given out
 */
export function stateMetrics(registry: Registry, sources: StateSources): () => Promise<void> {
  const refreshes = [
    ofRequests(registry, sources),
    ofNetwork(registry, sources),
    ofChain(registry, sources),
    ofEndpoints(registry, sources),
    ofTransactions(registry, sources),
    ofAccounts(registry, sources),
    ofHealth(registry, sources),
  ];
  return async () => {
    for (const refresh of refreshes) await refresh();
  };
}

type Refresh = () => Promise<void> | void;

/** Makes gauges of one registry. */
function gauges(registry: Registry) {
  return <Label extends string = never>(name: string, help: string, labels: Label[] = []) =>
    new Gauge<Label>({ name, help, labelNames: labels, registers: [registry] });
}

/** A gauge without a value, rather than one with a value that nobody has read. */
function set(gauge: Gauge, value: number | bigint | undefined): void {
  gauge.reset();
  if (value === undefined) gauge.remove();
  else gauge.set(Number(value));
}

/** Counters of what is counted elsewhere. */
function setTotal<Label extends string>(
  counter: Counter<Label>,
  totals: readonly (readonly [Record<Label, string>, number])[],
): void {
  counter.reset();
  for (const [labels, total] of totals) counter.inc(labels, total);
}

function ofRequests(registry: Registry, { context, chain, seats }: StateSources): Refresh {
  const gauge = gauges(registry);
  const requests = gauge('keyloom_requests_in_state', 'Requests that are remembered, by state', [
    'kind',
    'state',
  ]);
  const waiting = gauge('keyloom_queue_waiting', 'Work that waits for a place', ['queue']);
  const taken = gauge('keyloom_queue_taken', 'Places that are taken', ['queue']);
  const escrowed = gauge(
    'keyloom_fees_escrowed_requests',
    'Requests of own epochs whose fees are in escrow',
    ['state'],
  );
  const epochs = gauge('keyloom_epochs', 'Live epochs with a seat', ['phase', 'shares']);
  const evidence = gauge('keyloom_evidence', 'Evidence against other operators', ['state']);
  const age = gauge(
    'keyloom_verification_wait_seconds',
    'For how long the oldest registration has waited to be verified',
  );
  const queues: Record<string, Slots> = {
    requests: context.requestSlots,
    late: context.lateSlots,
    'evaluation-keys': context.evaluationSlots,
    ceremonies: context.ceremonySlots,
    evidence: context.witnessSlots,
  };
  return () => {
    requests.reset();
    for (const { kind, state } of context.progress.entries()) requests.inc({ kind, state });
    for (const [queue, slots] of Object.entries(queues)) {
      waiting.set({ queue }, slots.waiting);
      taken.set({ queue }, slots.taken);
    }
    const { queue: verification } = context.verification;
    waiting.set({ queue: 'verification' }, verification.waiting);
    taken.set({ queue: 'verification' }, verification.taken);
    age.set(verification.oldestSeconds);
    for (const state of ['answered', 'unanswered']) escrowed.set({ state }, 0);
    for (const { answer } of ownRequests(context, chain))
      escrowed.inc({ state: answer === undefined ? 'unanswered' : 'answered' });
    epochs.reset();
    for (const { phase, shares } of seats.standings()) epochs.inc({ phase, shares });
    for (const state of ['open', 'submitted', 'settled', 'hopeless'] as const)
      evidence.set({ state }, context.store.evidence.count(state));
  };
}

function ofNetwork(registry: Registry, { context, chain, peerMonitor }: StateSources): Refresh {
  const gauge = gauges(registry);
  const known = gauge('keyloom_peers_known', 'Operators of own committees, past ones included');
  const connected = gauge('keyloom_peers_connected', 'Operators with an open connection');
  const margin = gauge(
    'keyloom_quorum_margin',
    'Reachable operators above 2t+1, in the worst active epoch; negative: it cannot serve',
  );
  const bytes = new Counter({
    name: 'keyloom_network_bytes_total',
    help: 'Questions and answers exchanged with other operators',
    labelNames: ['direction'] as const,
    registers: [registry],
  });
  const refusals = new Counter({
    name: 'keyloom_network_refusals_total',
    help: 'Times that an operator asked for more than it may have, by the limit',
    labelNames: ['limit'] as const,
    registers: [registry],
  });
  return () => {
    const { host, account } = context;
    known.set(knownPeers(chain.now, account.address).size);
    connected.set(host.connectedPeers().size);
    const margins = peerMonitor.reach().map(({ reachable, quorum }) => reachable - quorum);
    set(margin, margins.length === 0 ? undefined : Math.min(...margins));
    setTotal(bytes, [
      [{ direction: 'sent' }, host.traffic.sentBytes],
      [{ direction: 'received' }, host.traffic.receivedBytes],
    ]);
    const counts = host.admission.refusals;
    setTotal(
      refusals,
      limitNames.map((limit) => [{ limit }, counts[limit]]),
    );
  };
}

function ofChain(registry: Registry, { context, chainMonitor }: StateSources): Refresh {
  const gauge = gauges(registry);
  const reachable = gauge('keyloom_chain_reachable', '1 if an RPC endpoint answers');
  const head = gauge('keyloom_chain_head', 'Height of the latest block');
  const height = gauge('keyloom_chain_height', 'Height up to which the chain has been read');
  const age = gauge('keyloom_chain_head_age_seconds', 'Time since the head was first seen');
  const lag = gauge('keyloom_chain_lag_seconds', 'For how long confirmed blocks have been unread');
  const offset = gauge(
    'keyloom_clock_offset_seconds',
    'Clock of this machine minus the time of the latest block when it was new',
  );
  return async () => {
    const sight = await chainMonitor.look();
    reachable.set(sight.isReachable ? 1 : 0);
    set(head, sight.head);
    set(height, context.store.blocks.scanned()?.height);
    age.set(sight.unchangedSeconds);
    lag.set(sight.lagSeconds);
    set(offset, sight.clockOffsetSeconds);
  };
}

function ofEndpoints(registry: Registry, { context }: StateSources): Refresh {
  const gauge = gauges(registry);
  const well = gauge('keyloom_rpc_endpoint_well', '1 if the endpoint may be used', ['endpoint']);
  const used = gauge('keyloom_rpc_endpoint_in_use', '1 if the endpoint is asked', ['endpoint']);
  const head = gauge('keyloom_rpc_endpoint_head', 'Latest block of an endpoint', ['endpoint']);
  const requests = new Counter({
    name: 'keyloom_rpc_requests_total',
    help: 'Requests to an endpoint, and whether they failed by its fault',
    labelNames: ['endpoint', 'outcome'] as const,
    registers: [registry],
  });
  return () => {
    const statuses = context.gateway.endpoints.statuses();
    for (const status of statuses) {
      const endpoint = String(status.index);
      well.set({ endpoint }, status.fault === undefined ? 1 : 0);
      used.set({ endpoint }, status.inUse ? 1 : 0);
      if (status.head !== undefined) head.set({ endpoint }, Number(status.head));
    }
    setTotal(
      requests,
      statuses.flatMap(({ index, answered, failed }) => [
        [{ endpoint: String(index), outcome: 'answered' }, answered] as const,
        [{ endpoint: String(index), outcome: 'failed' }, failed] as const,
      ]),
    );
  };
}

function ofTransactions(registry: Registry, { context }: StateSources): Refresh {
  const gauge = gauges(registry);
  const pending = gauge('keyloom_transactions_pending', 'Signed and not yet mined');
  const age = gauge(
    'keyloom_transaction_pending_seconds',
    'For how long the oldest of them has been pending, replacements included',
  );
  const paid = new Counter({
    name: 'keyloom_transaction_fees_wei_total',
    help: 'Paid for mined transactions, by what became of them',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  const transactions = new Counter({
    name: 'keyloom_transactions_total',
    help: 'Transactions by what became of them',
    labelNames: ['outcome'] as const,
    registers: [registry],
  });
  return () => {
    const { sender, store } = context;
    const { counts, paidWei } = sender.spending;
    setTotal(
      transactions,
      Object.entries(counts).map(([outcome, count]) => [{ outcome }, count]),
    );
    setTotal(
      paid,
      Object.entries(paidWei).map(([outcome, wei]) => [{ outcome }, Number(wei)]),
    );
    age.set(sender.longestPendingMs / 1_000);
    pending.set(store.transactions.pending().length);
  };
}

function ofAccounts(registry: Registry, { chainMonitor, dataDir }: StateSources): Refresh {
  const gauge = gauges(registry);
  const balance = gauge('keyloom_signer_balance_wei', 'Balance that pays for transactions');
  const cost = gauge('keyloom_transaction_cost_wei', 'Most that a transaction costs now');
  const baseFee = gauge('keyloom_base_fee_wei', 'What every transaction pays per unit of gas');
  const fees = gauge('keyloom_fees_withdrawable_units', 'Fees that the owner can withdraw');
  const free = gauge(
    'keyloom_disk_free_bytes',
    'Room left on the file system of the data directory',
  );
  const used = gauge('keyloom_disk_used_bytes', 'Room taken on that file system');
  return async () => {
    const { balanceWei, transactionWei, baseFeeWei, feesWei } = chainMonitor.sight;
    set(balance, balanceWei);
    set(cost, transactionWei);
    set(baseFee, baseFeeWei);
    set(fees, feesWei);
    const room = await diskRoom(dataDir);
    set(free, room?.freeBytes);
    set(used, room?.usedBytes);
  };
}

function ofHealth(registry: Registry, { health }: StateSources): Refresh {
  const gauge = gauges(registry);
  const wrong = gauge('keyloom_health_reason', '1 if this is wrong', ['reason']);
  const ready = gauge('keyloom_ready', '1 if the operator serves requests');
  return async () => {
    const report = await health.report();
    for (const reason of Object.values(HealthReason))
      wrong.set({ reason }, report.reasons.includes(reason) ? 1 : 0);
    ready.set(report.ready ? 1 : 0);
  };
}
