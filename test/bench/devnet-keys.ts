import type { Hex } from 'viem';

import { makeEvaluationKeys } from '../../devnet/computing.ts';
import type { OperatorProcess } from '../../devnet/operator-process.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import { labelOf, requestKey, waitForKey } from '../../tasks/support/keys.ts';
import { galoisElements } from '../../workers/fhe/galois-elements.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { sumOf, type Cost } from './cost.ts';
import type { Measurement } from './report.ts';
import { sealCosts } from './seal-keys.ts';
import { meanSpending } from './spending.ts';

const KEY_TIMEOUT_MS = 120_000;

/**
 * A full set of keys made by operators as processes: from the request's transaction to the record on
 * chain, and what the mean operator used; against SEAL making the same keys alone.
 */
export async function benchKeyRequests(
  gateway: Gateway,
  operators: readonly OperatorProcess[],
  epochId: Hex,
  set: ParameterSet,
): Promise<{ keyId: Hex; measurements: Measurement[] }> {
  const alone = sealCosts(set);
  const costs: Cost[] = [];
  const sent: number[] = [];
  const measure = async <T>(work: () => Promise<T>): Promise<T> => {
    const done: T[] = [];
    let wallMs = 0;
    const { cpuMs, sentBytes } = await meanSpending(operators, async () => {
      const started = performance.now();
      done.push(await work());
      wallMs = performance.now() - started;
    });
    costs.push({ cpuMs, wallMs });
    sent.push(sentBytes);
    return done[0];
  };

  const keyId = await measure(async () => {
    const requested = await requestKey(gateway, { epochId, set, label: labelOf('bench') });
    await waitForKey(gateway, requested.keyId, { timeoutMs: KEY_TIMEOUT_MS });
    return requested.keyId;
  });
  await measure(() => makeEvaluationKeys(gateway, { kind: 'relinearization', keyId }));
  const elements = galoisElements(set.degree, 'default');
  await measure(() => makeEvaluationKeys(gateway, { kind: 'galois', keyId, elements }));

  const lines = (what: string, cost: Cost, baseline: Cost, sentBytes: number): Measurement[] => {
    const name = `devnet, n=${operators.length}: ${what}`;
    const against = (value: number, reference: number) => ({
      ...{ unit: 'ms', value },
      ...{ baseline: reference, ratio: value / reference },
    });
    return [
      { name: `${name}, request to record`, ...against(cost.wallMs, baseline.wallMs) },
      { name: `${name}, CPU of an operator`, ...against(cost.cpuMs, baseline.cpuMs) },
      { name: `${name}, bytes sent by an operator`, unit: 'MB', value: sentBytes / 1e6 },
    ];
  };
  const names = ['public key', 'relinearization key', 'default Galois keys'];
  const measurements = [
    ...names.flatMap((name, at) => lines(name, costs[at], alone[at], sent[at])),
    ...lines(
      'full set',
      sumOf(costs),
      sumOf(alone),
      sent.reduce((sum, bytes) => sum + bytes, 0),
    ),
  ];
  return { keyId, measurements: measurements.filter(({ value }) => !Number.isNaN(value)) };
}
