import type { Hex } from 'viem';

import { governor } from '../../devnet/accounts.ts';
import { setUpEpoch, startOperators } from '../../devnet/cluster.ts';
import { startDevnet, type Devnet } from '../../devnet/devnet.ts';
import type { OperatorProcess, StartOptions } from '../../devnet/operator-process.ts';
import { hasOpened, RoundTrip } from '../../devnet/round-trip.ts';
import { waitUntil } from '../../devnet/wait.ts';
import { membersOf, type Epoch } from '../../tasks/support/epochs.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import { downloadPublicKey, labelOf, requestKey, waitForKey } from '../../tasks/support/keys.ts';
import {
  askAll,
  faultsNamed,
  fetchRequestView,
  type Answered,
  type Member,
  type NamedFault,
  type RequestView,
} from '../../tasks/support/operators.ts';
import { parameterSet, type ParameterSet } from '../../workers/ring/parameters.ts';

/** Small and fast, and named for what it is. */
export const testSet = parameterSet('insecure-bfv-1024-b17');

/** Other than usual. */
export interface ClusterOptions {
  /** Of the key. */
  readonly set?: ParameterSet;
  readonly chain?: Parameters<typeof startDevnet>[0];
  /** See {@link startOperators}; is told of the devnet as well. */
  readonly prepare?: (
    devnet: Devnet,
    operators: readonly OperatorProcess[],
  ) => Promise<(index: number) => StartOptions>;
}

/** A committee of real operator processes with one key, for tests. */
export class Cluster {
  readonly devnet: Devnet;
  readonly operators: readonly OperatorProcess[];
  readonly epoch: Epoch;
  readonly members: readonly Member[];
  readonly governor: Gateway;
  readonly keyId: Hex;
  readonly roundTrip: RoundTrip;

  private constructor(
    parts: Pick<
      Cluster,
      'devnet' | 'operators' | 'epoch' | 'members' | 'governor' | 'keyId' | 'roundTrip'
    >,
  ) {
    this.devnet = parts.devnet;
    this.operators = parts.operators;
    this.epoch = parts.epoch;
    this.members = parts.members;
    this.governor = parts.governor;
    this.keyId = parts.keyId;
    this.roundTrip = parts.roundTrip;
  }

  /** A devnet with operators, of one epoch and one key. */
  static async start(n: number, options: ClusterOptions = {}): Promise<Cluster> {
    const { set = testSet, chain, prepare } = options;
    const devnet = await startDevnet(chain);
    try {
      const operators = await startOperators(devnet, n, {
        ...(prepare && { prepare: (created) => prepare(devnet, created) }),
      });
      const epoch = await setUpEpoch(devnet, operators);
      const gateway = await devnet.as(governor);
      const members = await membersOf(gateway, epoch);
      const request = { epochId: epoch.epochId, set, label: labelOf('e2e') };
      const { keyId } = await requestKey(gateway, request);
      await waitForKey(gateway, keyId, { timeoutMs: 60_000 });
      const publicKey = await downloadPublicKey(gateway, keyId);
      const roundTrip = new RoundTrip(devnet, set, keyId, publicKey);
      return new Cluster({
        devnet,
        operators,
        epoch,
        members,
        governor: gateway,
        keyId,
        roundTrip,
      });
    } catch (error) {
      devnet.workspace.keepLogs();
      await devnet.close();
      throw error;
    }
  }

  /** The operator with a committee index. */
  operator(index: number): OperatorProcess {
    return this.operators[index - 1];
  }

  /** Stops an operator cleanly and starts it again, perhaps as another one than before. */
  async restart(
    index: number,
    options: Parameters<OperatorProcess['start']>[0] = {},
  ): Promise<void> {
    const operator = this.operator(index);
    await operator.stop();
    operator.start(options);
    await operator.waitHealthy();
  }

  /** What each operator says about a request. */
  views(id: Hex): Promise<Answered<RequestView | undefined>[]> {
    return askAll(this.members, (endpoint) => fetchRequestView(endpoint, id));
  }

  /** What one operator says about a request; undefined where it does not know it. */
  view(index: number, id: Hex): Promise<RequestView | undefined> {
    return fetchRequestView(this.operator(index).endpoint, id);
  }

  /** Operators that more than `most` others report as faulty in a request. */
  async faults(id: Hex, most = this.epoch.committee.t): Promise<NamedFault[]> {
    return faultsNamed(await this.views(id), most);
  }

  /** {@link faults}, once so many operators report one of them: each checks shares in its own time. */
  namedFaults(id: Hex, reporters: number): Promise<NamedFault[]> {
    const most = Math.min(reporters - 1, this.epoch.committee.t);
    return waitUntil(`${reporters} operators name a fault in ${id}`, async () => {
      const named = await this.faults(id, most);
      const complete = named.some(({ reportedBy }) => reportedBy.length >= reporters);
      return complete ? named : undefined;
    });
  }

  /**
   * Asks until a request is answered that all of these operators have opened ({@link hasOpened}): the
   * others have nothing to look at, and name nobody.
   */
  async openedBy<Asked extends { requestId: Hex }>(
    indices: readonly number[],
    ask: () => Promise<Asked>,
  ): Promise<Asked> {
    for (;;) {
      const asked = await ask();
      const opened = await Promise.all(
        indices.map((index) => hasOpened(this.operator(index).endpoint, asked.requestId)),
      );
      if (opened.every(Boolean)) return asked;
    }
  }

  /** For whoever has to find out why a test failed: `.devnet/logs`. */
  keepLogs(): void {
    this.devnet.workspace.keepLogs();
  }

  close(): Promise<void> {
    return this.devnet.close();
  }
}
