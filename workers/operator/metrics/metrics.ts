import { Registry } from 'prom-client';

import type { ListenAddress } from '../config/config.ts';
import type { Log } from '../log.ts';
import { processMetrics } from './process.ts';
import { serveMetrics } from './serve.ts';
import { stateMetrics, type StateSources } from './state.ts';
import { workMetrics, type WorkMetrics } from './work.ts';

/** The metrics of an operator, from before it works: docs/metrics.md lists them. */
export interface Metrics extends WorkMetrics {
  readonly registry: Registry;
  /** Serves them, with those of the state. */
  serve(sources: StateSources, listen: ListenAddress, log: Log): ReturnType<typeof serveMetrics>;
  /** Ends the watch on the process. */
  stop(): void;
}

export function startMetrics(): Metrics {
  const registry = new Registry();
  const work = workMetrics(registry);
  const { refresh: refreshProcess, stop } = processMetrics(registry);
  return {
    ...work,
    registry,
    serve: (sources, listen, log) => {
      const refreshState = stateMetrics(registry, sources);
      const refresh = async (): Promise<void> => {
        await refreshProcess();
        await refreshState();
      };
      return serveMetrics(registry, refresh, listen, log);
    },
    stop,
  };
}
