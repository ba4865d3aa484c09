import type { Hex } from 'viem';

import { instant, type TaskResult } from '../output.ts';
import { listEvaluationKeys, nameOf, sourcesOf } from '../support/evaluation-keys.ts';
import type { Gateway } from '../support/gateway.ts';
import { keyOf } from '../support/keys.ts';
import { describeMeter, meterOf } from '../support/meter.ts';
import { describeFee } from './fee.ts';
import { viewsOf } from './views.ts';

/** A key with all that belongs to it, and what the operators say. @throws ClientError `UNKNOWN_KEY` */
export async function describeKey(gateway: Gateway, keyId: Hex): Promise<TaskResult> {
  const key = await keyOf(gateway, keyId);
  const [fee, views, evaluationKeys, sources, meter] = await Promise.all([
    describeFee(gateway, 'keyManager', keyId),
    viewsOf(gateway, key.epochId, keyId),
    listEvaluationKeys(gateway, keyId),
    sourcesOf(gateway, keyId),
    meterOf(gateway, keyId),
  ]);
  return {
    json: { kind: 'key', ...key, ...fee.json, meter, evaluationKeys, sources, ...views.json },
    lines: [
      `key ${keyId}`,
      `${key.state}; epoch ${key.epochId}`,
      key.state === 'Pending'
        ? `deadline ${instant(key.deadline)}`
        : `public key SHA-256 ${key.digest}`,
      ...fee.lines,
      describeMeter(meter),
      ...evaluationKeys.map((keys) => `${nameOf(keys)}: ${keys.state}, request ${keys.requestId}`),
      ...sources.map((source) => `ciphertexts can be switched to it from key ${source}`),
      ...views.lines,
    ],
  };
}
