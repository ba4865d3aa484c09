import { rmSync } from 'node:fs';
import process from 'node:process';

import type { OperatorProcess, StartOptions } from '../../devnet/operator-process.ts';
import type { Conditions, Relays } from '../faults/relay.ts';
import type { RpcProxy } from '../faults/rpc-proxy.ts';
import type { Backup } from './backup.ts';
import type { Fault, NetworkFault, ProcessFault, RpcFault } from './schedule.ts';

/** How long an operator may take to serve again: this is for a machine that has much else to do. */
const RECOVERY_MS = 180_000;

/** What lies between one operator and the world. */
export interface Surrounded {
  readonly relays: Relays;
  /** Before the RPC endpoint of each operator, by index - 1. */
  readonly proxies: readonly RpcProxy[];
}

/** Does what a schedule says to operators, and undoes it. */
export class Faults {
  readonly #operators: OperatorProcess[];
  readonly #around: Surrounded;
  readonly #backup: Backup;
  /** Of operators that did not stop as they should. */
  readonly unclean: string[] = [];
  /** Faults that there are, by operator. */
  readonly #active = new Map<number, Fault[]>();
  readonly #loops = new Map<number, NodeJS.Timeout>();
  /** What is being done to an operator's process, so that nothing is done to it at the same time. */
  readonly #underWay = new Map<number, Promise<void>>();

  constructor(operators: readonly OperatorProcess[], around: Surrounded, backup: Backup) {
    this.#operators = [...operators];
    this.#around = around;
    this.#backup = backup;
  }

  /** With what each operator is started, so that faults can reach it. */
  static startOptions({ relays, proxies }: Surrounded, index: number): StartOptions {
    return { env: relays.environmentOf(index), rpcUrls: [proxies[index - 1].url] };
  }

  /** As they are now: one that was restored is another one. */
  get operators(): readonly OperatorProcess[] {
    return this.#operators;
  }

  async begin(index: number, fault: Fault): Promise<void> {
    this.#active.set(index, [...(this.#active.get(index) ?? []), fault]);
    switch (fault.kind) {
      case 'partition':
      case 'refuse':
      case 'latency':
      case 'loss':
      case 'reset':
      case 'stall':
        this.#around.relays.around([index], conditionsOf(fault));
        return;
      case 'rpc-down':
      case 'rpc-slow':
      case 'rpc-hanging':
      case 'rpc-frozen':
        return failing(this.#around.proxies[index - 1], fault);
      case 'kill':
      case 'crash-loop':
      case 'stop':
      case 'pause':
      case 'lie':
      case 'restore':
        return this.#inTurn(index, () => this.#beginProcess(index, fault));
    }
  }

  /** Ends all faults; returns once all operators that had some can serve again. */
  async endAll(signal: AbortSignal): Promise<void> {
    const afflicted = [...this.#active];
    this.#active.clear();
    // First the networks: who starts needs them.
    this.#around.relays.heal();
    for (const [index] of afflicted) {
      const proxy = this.#around.proxies[index - 1];
      proxy.lies.repent();
      await proxy.forward();
    }
    await Promise.all(
      afflicted.map(([index, faults]) =>
        this.#inTurn(index, async () => {
          for (const fault of faults) await this.#endProcess(index, fault);
          await this.#operator(index).waitHealthy({ deadlineMs: RECOVERY_MS, signal });
        }),
      ),
    );
  }

  /** For the end: leaves no timer and no process that is stopped. */
  abandon(): void {
    for (const loop of this.#loops.values()) clearTimeout(loop);
    for (const [index, faults] of this.#active)
      if (faults.some(({ kind }) => kind === 'pause')) this.#signal(index, 'SIGCONT');
  }

  #operator(index: number): OperatorProcess {
    return this.#operators[index - 1];
  }

  #start(index: number, options: StartOptions = {}): void {
    this.#operator(index).start({ ...Faults.startOptions(this.#around, index), ...options });
  }

  async #beginProcess(index: number, fault: ProcessFault): Promise<void> {
    switch (fault.kind) {
      case 'kill':
        return this.#operator(index).kill();
      case 'crash-loop':
        await this.#operator(index).kill();
        this.#start(index);
        return this.#crashAgain(index, fault.everyMs);
      case 'stop':
        return this.#stop(index);
      case 'pause':
        return this.#signal(index, 'SIGSTOP');
      case 'lie':
        await this.#stop(index);
        this.#start(index, { conduct: fault.conduct });
        // Before that it would be slower than the others, and nobody would ask it.
        await this.#operator(index).waitHealthy({ deadlineMs: RECOVERY_MS });
        return;
      case 'restore':
        return this.#restore(index);
    }
  }

  async #endProcess(index: number, { kind }: Fault): Promise<void> {
    if (kind === 'kill' || kind === 'stop') this.#start(index);
    if (kind === 'pause') this.#signal(index, 'SIGCONT');
    if (kind === 'crash-loop') clearTimeout(this.#loops.get(index));
    if (kind === 'lie') {
      await this.#stop(index);
      this.#start(index);
    }
  }

  #crashAgain(index: number, everyMs: number): void {
    const again = setTimeout(() => {
      void this.#inTurn(index, async () => {
        if (!this.#active.get(index)?.some(({ kind }) => kind === 'crash-loop')) return;
        await this.#operator(index).kill();
        this.#start(index);
        this.#crashAgain(index, everyMs);
      });
    }, everyMs);
    this.#loops.set(index, again);
  }

  async #stop(index: number): Promise<void> {
    const code = await this.#operator(index).stop();
    // Without a code it was too slow to stop and had to be killed.
    if (code !== 0 && code !== null)
      this.unclean.push(`operator ${index} stopped with code ${code}`);
  }

  async #restore(index: number): Promise<void> {
    const lost = this.#operator(index);
    await lost.kill();
    rmSync(lost.folder, { recursive: true });
    this.#operators[index - 1] = lost.movedTo(await this.#backup.restore(), lost.ports);
    this.#start(index);
  }

  #signal(index: number, signal: NodeJS.Signals): void {
    const { pid } = this.#operator(index);
    if (pid !== undefined) process.kill(pid, signal);
  }

  /** Does it after all that was begun with this operator's process. */
  #inTurn(index: number, act: () => Promise<void>): Promise<void> {
    const done = (this.#underWay.get(index) ?? Promise.resolve()).then(act);
    this.#underWay.set(
      index,
      done.catch(() => {}),
    );
    return done;
  }
}

function conditionsOf(fault: NetworkFault): Conditions {
  switch (fault.kind) {
    case 'partition':
      return { cut: 'black-hole' };
    case 'refuse':
      return { cut: 'refuse' };
    case 'latency':
      return { latencyMs: fault.latencyMs };
    case 'loss':
      return { loss: fault.probability };
    case 'reset':
      return { reset: fault.probability };
    case 'stall':
      return { stalled: true };
  }
}

async function failing(proxy: RpcProxy, fault: RpcFault): Promise<void> {
  switch (fault.kind) {
    case 'rpc-down':
      return proxy.fail({ kind: 'down' });
    case 'rpc-slow':
      return proxy.fail({ kind: 'slow', ms: fault.latencyMs });
    case 'rpc-hanging':
      return proxy.fail({ kind: 'hanging' });
    case 'rpc-frozen':
      return proxy.freeze();
  }
}
