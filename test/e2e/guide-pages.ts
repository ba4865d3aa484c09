import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from '../../devnet/chain.ts';

/** The guide, in the order in which an operator lives through it. */
export const GUIDE = ['day-one', 'service', 'key-ceremony', 'upgrade', 'incident', 'recovery'];

const PEOPLE = ['operator', 'owner', 'governor'] as const;
/** Why a block is not run here: what it needs. Its paths and programs are checked instead. */
const REASONS = ['install', 'systemd', 'engine'] as const;

export type Person = (typeof PEOPLE)[number];

/** A fenced block of the guide. */
export interface Block {
  /** Page and line, for people. */
  readonly at: string;
  readonly text: string;
  /** Who runs it; undefined if it is not run here. */
  readonly person: Person | undefined;
  readonly needs: (typeof REASONS)[number] | undefined;
  readonly exits: number;
  readonly isBackground: boolean;
}

/**
 * The fenced blocks of a page. A fence says who runs the block: `sh operator`, `sh owner exits=1`,
 * `sh operator background`, or `sh not-run=systemd`.
 *
 * @throws if a fence says anything else
 */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(projectRoot, 'docs/operator', `${page}.md`), 'utf8');
  return [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gmsu)].map((match) => {
    const [, fence = '', content = ''] = match;
    const at = `docs/operator/${page}.md:${text.slice(0, match.index).split('\n').length}`;
    const [language, who = '', ...more] = fence.split(' ');
    const needs = REASONS.find((reason) => who === `not-run=${reason}`);
    const person = PEOPLE.find((one) => one === who);
    const isKnown = more.every((word) => word === 'background' || /^exits=\d$/u.test(word));
    if (language !== 'sh' || (needs ?? person) === undefined || !isKnown)
      throw new Error(`${at}: nobody is said to run this block`);
    const exits = Number(more.find((word) => word.startsWith('exits='))?.slice(6) ?? 0);
    return { at, text: content, person, needs, exits, isBackground: more.includes('background') };
  });
}
