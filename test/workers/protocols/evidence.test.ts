import { keccak256 } from 'viem';
import { describe, expect, it } from 'vitest';
import {
  equivocation,
  offenceId,
  signedResult,
  type SignedRoot,
} from '../../../workers/protocols/evidence.ts';
import { keccakWords, label } from '../sharing/reference.ts';

const epochId = label('epoch');
const subject = label('subject');
const rootOf = (name: string): SignedRoot => ({
  root: label(name),
  signature: `0x${label(name).slice(2).repeat(2)}1b`,
});

describe('equivocation', () => {
  it('is the same evidence whichever root was seen first', () => {
    const [a, b] = [rootOf('a'), rootOf('b')];
    const evidence = equivocation(epochId, subject, 3, a, b);
    expect(equivocation(epochId, subject, 3, b, a)).toEqual(evidence);
    const { first, second } = evidence!;
    expect([first, second].map(({ root }) => root).sort()).toEqual([a.root, b.root].sort());
    for (const { root, signature } of [first, second])
      expect(signature).toBe([a, b].find((other) => other.root === root)!.signature);
  });

  it('takes two roots', () => {
    const again = { ...rootOf('a'), signature: rootOf('b').signature };
    expect(equivocation(epochId, subject, 3, rootOf('a'), again)).toBeUndefined();
  });
});

describe('a signed result', () => {
  it('is kept as its hash', () => {
    const source = '0x00000000000000000000000000000000000000a1';
    const { signature } = rootOf('a');
    expect(signedResult({ epochId, requestId: subject, source }, 2, '0x0102', signature)).toEqual({
      ...{ kind: 'wrong-result', epochId, subject, index: 2, source, signature },
      resultHash: keccak256('0x0102'),
    });
  });
});

describe('offence ids', () => {
  it('are hashes of offence, epoch, subject and index', () => {
    const of = { epochId, subject, index: 13 };
    expect(offenceId({ kind: 'wrong-share', ...of })).toBe(keccakWords(0, epochId, subject, 13));
    expect(offenceId({ kind: 'equivocation', ...of })).toBe(keccakWords(1, epochId, subject, 13));
    expect(offenceId({ kind: 'wrong-result', ...of })).toBe(keccakWords(2, epochId, subject, 13));
  });
});
