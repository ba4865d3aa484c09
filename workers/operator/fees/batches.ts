import type { EscrowEntry } from '../../chain/state.ts';

/** Most requests that one transaction can be about: `MAX_BATCH` of the contracts. */
export const MAX_BATCH = 128;

/** Requests in batches that a contract takes: of one contract and one epoch each, oldest first. */
export function batchesOf<Request extends EscrowEntry>(requests: Iterable<Request>): Request[][] {
  const latest = new Map<string, Request[]>();
  const batches: Request[][] = [];
  for (const request of requests) {
    const group = `${request.contract}/${request.epochId}`;
    let batch = latest.get(group);
    if (batch === undefined || batch.length === MAX_BATCH) {
      batch = [];
      latest.set(group, batch);
      batches.push(batch);
    }
    batch.push(request);
  }
  return batches;
}
