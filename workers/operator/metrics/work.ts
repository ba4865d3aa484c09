import { Counter, Histogram, type Registry } from 'prom-client';

import type { Observer } from '../observing.ts';
import type { CountedAnswer } from '../public/http.ts';

/** From a step that finds everything there to an evaluation key's opening over a slow network. */
const STEP_BUCKETS_SECONDS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Metrics of what an operator does, counted as it happens. */
export interface WorkMetrics {
  readonly observer: Observer;
  readonly onAnswer: (answer: CountedAnswer) => void;
}

/** Registers them. Labels have few values: kinds, states, steps, codes and committee indices. */
export function workMetrics(registry: Registry): WorkMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'keyloom_requests_total',
    help: 'Requests that have come to a state',
    labelNames: ['kind', 'state'] as const,
    registers,
  });
  const steps = new Histogram({
    name: 'keyloom_step_seconds',
    help: 'Time that a step of the work on a request took',
    labelNames: ['kind', 'step'] as const,
    buckets: STEP_BUCKETS_SECONDS,
    registers,
  });
  const openings = new Counter({
    name: 'keyloom_openings_total',
    help: 'Values opened',
    labelNames: ['kind'] as const,
    registers,
  });
  const faults = new Counter({
    name: 'keyloom_faults_total',
    help: 'Deviations of other operators, by their committee index',
    labelNames: ['index', 'reason'] as const,
    registers,
  });
  const fees = new Counter({
    name: 'keyloom_fee_requests_total',
    help: 'Requests whose fees this operator looked after',
    labelNames: ['work'] as const,
    registers,
  });
  const answers = new Counter({
    name: 'keyloom_http_requests_total',
    help: 'Requests to the public HTTP interface',
    labelNames: ['method', 'route', 'status'] as const,
    registers,
  });
  return {
    observer: {
      onRequest: ({ kind, state }) => requests.inc({ kind, state }),
      onFault: (_, { index, reason }) => faults.inc({ index, reason }),
      onStep: ({ kind }, step) => {
        const begunAt = performance.now();
        return (error) => {
          if (error !== undefined) return;
          steps.observe({ kind, step }, (performance.now() - begunAt) / 1_000);
          if (step === 'collect' || step === 'open-through') openings.inc({ kind });
        };
      },
      onFees: (work, count) => fees.inc({ work }, count),
    },
    onAnswer: ({ method, route, status }) => answers.inc({ method, route, status }),
  };
}
