/**
 * Ends what a devnet leaves behind. It reads lines on standard input:
 * `+PID` and `-PID` add and remove a process, `/PATH` adds a folder.
 *
 * When the input ends - because the devnet closed it or was killed - it kills the processes that are
 * left and removes the folders. It runs in its own process group, so Ctrl-C does not reach it.
 */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const processes = new Set<number>();
const folders = new Set<string>();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

for await (const line of createInterface({ input: process.stdin })) {
  if (line.startsWith('+')) processes.add(Number(line.slice(1)));
  else if (line.startsWith('-')) processes.delete(Number(line.slice(1)));
  else if (line.startsWith('/')) folders.add(line);
}

for (const pid of processes) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
