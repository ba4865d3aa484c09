import { beforeAll, beforeEach, describe, it } from 'vitest';

import { expectNothingChanged, malices } from './ceremonies.ts';
import { Cluster } from './cluster.ts';

// Every way in which one contributor of a ceremony can be malicious.

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start(4);
  return () => cluster.close();
});

beforeEach(({ onTestFailed }) => onTestFailed(() => cluster.keepLogs()));

describe('a malicious contributor', () => {
  it.each(malices)('$conduct changes nothing', (malice) => expectNothingChanged(cluster, malice));
});
