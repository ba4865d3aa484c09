import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { Counter, Gauge, type Registry } from 'prom-client';

import packageJson from '../../../package.json' with { type: 'json' };

/** How finely the event loop is watched, which is the least lag that is seen. */
const RESOLUTION_MS = 10;
const NANOSECONDS = 1e9;
const QUANTILES = { '0.5': 50, '0.99': 99, '1': 100 } as const;

/**
 * Registers metrics of the process itself, under the names that they have everywhere.
 *
 * @returns what brings them up to date, and what ends the watch
 */
export function processMetrics(registry: Registry): {
  readonly refresh: () => Promise<void>;
  readonly stop: () => void;
} {
  const registers = [registry];
  const gauge = <Label extends string = never>(name: string, help: string, labels: Label[] = []) =>
    new Gauge<Label>({ name, help, labelNames: labels, registers });
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time of all threads',
    registers,
  });
  const resident = gauge('process_resident_memory_bytes', 'Memory in use');
  const heap = gauge('keyloom_heap_used_bytes', 'Memory of JavaScript values');
  const external = gauge('keyloom_external_memory_bytes', 'Memory of buffers and WebAssembly');
  const files = gauge('process_open_fds', 'Open file descriptors');
  const lag = gauge('keyloom_event_loop_lag_seconds', 'Lag since the last scrape', ['quantile']);
  gauge('process_start_time_seconds', 'Start of the process, in Unix time').set(
    Date.now() / 1_000 - process.uptime(),
  );
  gauge('keyloom_build_info', 'Version of the program, as labels', ['version', 'node']).set(
    { version: packageJson.version, node: process.version },
    1,
  );
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  return {
    refresh: async () => {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
      const { rss, heapUsed, external: outside } = process.memoryUsage();
      resident.set(rss);
      heap.set(heapUsed);
      external.set(outside);
      // Only Linux says it.
      const open = await readdir('/proc/self/fd').catch(() => undefined);
      if (open !== undefined) files.set(open.length);
      for (const [quantile, percent] of Object.entries(QUANTILES)) {
        const lagNs = percent === 100 ? delay.max : delay.percentile(percent);
        lag.set({ quantile }, Math.max(0, lagNs / NANOSECONDS - RESOLUTION_MS / 1_000));
      }
      delay.reset();
    },
    stop: () => delay.disable(),
  };
}
