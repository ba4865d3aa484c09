import type { ChainState } from '../chain-view/chain-state.ts';
import type { Seats } from '../committee/seats.ts';
import type { HealthLimits } from '../config/config.ts';
import type { OperatorContext } from '../context.ts';
import type { DamageCode } from '../damages.ts';
import type { ChainMonitor } from './chain.ts';
import { diskRoom } from './disk.ts';
import type { PeerMonitor } from './peers.ts';
import { HealthReason, isAlive, isReady } from './reasons.ts';

/** What an operator says of itself at `GET /healthz` and `GET /readyz`. */
export interface Health extends Record<string, unknown> {
  status: 'ok' | 'degraded';
  reasons: HealthReason[];
  /** Whether it serves requests. */
  ready: boolean;
  /** Whether a restart would not mend anything. */
  alive: boolean;
}

/** What health is judged by. */
export interface HealthSources {
  readonly context: OperatorContext;
  readonly chain: ChainState;
  readonly seats: Seats;
  readonly chainMonitor: ChainMonitor;
  readonly peerMonitor: PeerMonitor;
  readonly dataDir: string;
  readonly limits: HealthLimits;
}

/** Judges an operator and its surroundings. */
export class HealthReport {
  readonly #sources: HealthSources;
  #stopped: string | undefined;

  constructor(sources: HealthSources) {
    this.#sources = sources;
  }

  /** Notes that a part has ended that should run for ever. */
  workStopped(what: string): void {
    this.#stopped ??= what;
  }

  /** The state of things now. Never rejects. */
  async report(): Promise<Health> {
    const { context, chain, seats, chainMonitor, peerMonitor, dataDir, limits } = this.#sources;
    const { account, host, store } = context;
    const [sight, disk] = await Promise.all([chainMonitor.look(), diskRoom(dataDir)]);
    const epochs = seats.standings();
    const reach = peerMonitor.reach();
    const own = [...chain.now.operators.values()].find(({ signer }) => signer === account.address);
    const { isReachable, unchangedSeconds, lagSeconds, hasCaughtUp, clockOffsetSeconds } = sight;
    const { balanceWei, transactionWei, baseFeeWei } = sight;
    const damaged = context.damages.list();
    const endpoints = context.gateway.endpoints.statuses();
    const isDamaged = (code: DamageCode): boolean => damaged.some((one) => one.code === code);
    const isPoor =
      balanceWei !== undefined && transactionWei !== undefined && balanceWei < transactionWei;
    const findings: Record<HealthReason, boolean> = {
      STARTING: !hasCaughtUp || !peerMonitor.hasTried,
      WORK_STOPPED: this.#stopped !== undefined,
      RPC_UNREACHABLE: !isReachable,
      RPC_ENDPOINT_FAILING: endpoints.length > 1 && endpoints.some(({ fault }) => fault),
      CHAIN_STALLED: isReachable && unchangedSeconds > limits.stalledSeconds,
      CHAIN_LAGGING: lagSeconds > limits.lagSeconds,
      PEERS_UNREACHABLE:
        peerMonitor.hasTried && reach.some(({ reachable, quorum }) => reachable < quorum),
      NOT_REGISTERED: own === undefined,
      SHARES_MISSING: epochs.some(({ shares }) => shares === 'missing'),
      SET_KEYS_DAMAGED: isDamaged('SET_KEYS_DAMAGED'),
      KEY_SHARE_DAMAGED: isDamaged('KEY_SHARE_DAMAGED'),
      JOURNAL_DAMAGED: isDamaged('JOURNAL_DAMAGED'),
      RESULT_DIFFERS: isDamaged('RESULT_DIFFERS'),
      SLASHED: own?.removed === true,
      DISK_FAILING: store.disk.failure !== undefined,
      DISK_LOW: disk !== undefined && disk.freeBytes < limits.freeBytes,
      CLOCK_OFF:
        clockOffsetSeconds !== undefined && Math.abs(clockOffsetSeconds) > limits.clockSeconds,
      BALANCE_LOW: isPoor,
      PRICE_ABOVE_CAP: sight.isAboveCap === true,
    };
    const reasons = Object.values(HealthReason).filter((reason) => findings[reason]);
    return {
      status: reasons.length === 0 ? 'ok' : 'degraded',
      reasons,
      ready: isReady(reasons),
      alive: isAlive(reasons),
      signer: account.address,
      peerId: host.peerId,
      head: sight.head,
      height: store.blocks.scanned()?.height,
      epochs: epochs.map((epoch) => ({
        ...epoch,
        reachable: reach.find(({ epochId }) => epochId === epoch.epochId)?.reachable,
      })),
      damaged,
      chain: { unchangedSeconds, lagSeconds, clockOffsetSeconds },
      endpoints: endpoints.map(({ index, host, inUse, fault, head }) => ({
        ...{ index, host, inUse, fault, head },
      })),
      signerAccount: { balanceWei, transactionWei, baseFeeWei },
      stopped: this.#stopped,
      evidence: {
        open: store.evidence.count('open'),
        submitted: store.evidence.count('submitted'),
        hopeless: store.evidence.count('hopeless'),
      },
      traffic: host.traffic,
    };
  }
}
