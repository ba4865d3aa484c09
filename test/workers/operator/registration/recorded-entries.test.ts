import { concat } from 'viem';
import { expect, it } from 'vitest';

import { emptyState, type EvaluationKeyEntry } from '../../../../workers/chain/state.ts';
import {
  entryName,
  RecordedEntries,
} from '../../../../workers/operator/registration/recorded-entries.ts';
import { digestOf } from '../fake-chain.ts';

const keyId = digestOf('key');
const targetKeyId = digestOf('target');

it('finds each entry by its name, of whichever requests made it', () => {
  const state = emptyState();
  const entries = new RecordedEntries();
  const record = (
    requestId: ReturnType<typeof digestOf>,
    request: Partial<EvaluationKeyEntry>,
    ...names: string[]
  ): void => {
    const digests = concat(names.map(digestOf));
    state.evaluationKeys.set(requestId, {
      ...{ keyId, elements: [], targetKeyId: undefined, ...request },
    } as EvaluationKeyEntry);
    entries.note(state, {
      eventName: 'EvaluationKeysRecorded',
      args: { requestId, digests, signerBitmap: 7n },
    });
  };
  record(digestOf('1'), { kind: 'galois', elements: [3, 9] }, 'three', 'nine');
  record(digestOf('2'), { kind: 'galois', elements: [9] }, 'nine');
  record(digestOf('3'), { kind: 'relinearization' }, 'relinearization');
  record(digestOf('4'), { kind: 'switching', targetKeyId }, 'switching');
  const of = (...[needed]: Parameters<typeof entryName>) => entries.of(entryName(needed));
  expect(of({ kind: 'galois', keyId, element: 3 })).toEqual([digestOf('three')]);
  expect(of({ kind: 'galois', keyId, element: 9 })).toEqual([digestOf('nine'), digestOf('nine')]);
  expect(of({ kind: 'galois', keyId, element: 5 })).toEqual([]);
  expect(of({ kind: 'relinearization', keyId })).toEqual([digestOf('relinearization')]);
  expect(of({ kind: 'switching', keyId, targetKeyId })).toEqual([digestOf('switching')]);
  expect(of({ kind: 'switching', keyId: targetKeyId, targetKeyId: keyId })).toEqual([]);
});
