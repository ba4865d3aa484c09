import type { Hex } from 'viem';

import type { GatewayEvent } from '../../chain/events.ts';
import type { GatewayState } from '../../chain/state.ts';
import type { NeededKey } from '../../computations/keys.ts';
import { digestsIn } from '../public/objects.ts';

/** Digests of the recorded entries of evaluation keys, so that each can be looked up without a search. */
export class RecordedEntries {
  readonly #digests = new Map<string, Hex[]>();

  /** Of all requests that have made this entry. They have made the same bytes. */
  of(name: string): readonly Hex[] {
    return this.#digests.get(name) ?? [];
  }

  /** Takes note of an event that has been applied to the state. */
  note({ evaluationKeys }: GatewayState, { eventName, args }: GatewayEvent): void {
    if (eventName !== 'EvaluationKeysRecorded') return;
    const request = evaluationKeys.get(args.requestId);
    if (request === undefined) return;
    const { kind, keyId, elements, targetKeyId } = request;
    const digests = [...digestsIn(args.digests)];
    const names =
      kind === 'galois'
        ? elements.map((element) => entryName({ kind, keyId, element }))
        : [kind === 'switching' ? `${kind}/${keyId}/${targetKeyId}` : `${kind}/${keyId}`];
    for (const [at, name] of names.entries()) {
      const digest = digests[at];
      if (digest !== undefined) this.#digests.set(name, [...this.of(name), digest]);
    }
  }
}

/** Stands for an entry. */
export function entryName(needed: NeededKey): string {
  const { kind, keyId } = needed;
  if (kind === 'galois') return `galois/${keyId}/${needed.element}`;
  return kind === 'switching' ? `switching/${keyId}/${needed.targetKeyId}` : `${kind}/${keyId}`;
}
