import { describe, expect, it } from 'vitest';

import { conducts, planOf, type Fault, type Spell } from '../../chaos/schedule.ts';
import { twins } from '../../twins/answering.ts';

const sizes = [4, 7, 10, 13];
const seeds = Array.from({ length: 15 }, (_, seed) => seed);
const plans = sizes.flatMap((n) => seeds.map((seed) => planOf({ seed, minutes: 10, n })));

const afflictedIn = ({ afflictions }: Spell): Set<number> =>
  new Set(afflictions.map(({ operator }) => operator));
const faultsOf = (spells: readonly Spell[]): Fault[] =>
  spells.flatMap(({ afflictions }) => afflictions.map(({ fault }) => fault));

describe('a schedule', () => {
  it('is the same for the same seed, and another one for another', () => {
    const plan = planOf({ seed: 7, minutes: 10, n: 4 });
    expect(planOf({ seed: 7, minutes: 10, n: 4 })).toEqual(plan);
    expect(planOf({ seed: 8, minutes: 10, n: 4 })).not.toEqual(plan);
  });

  it('goes on where a shorter one ends', () => {
    const { phases } = planOf({ seed: 7, minutes: 1, n: 4 });
    const longer = planOf({ seed: 7, minutes: 10, n: 4 }).phases;
    expect(longer.length).toBeGreaterThan(phases.length);
    expect(longer.slice(0, phases.length)).toEqual(phases);
  });

  it('goes through whole rounds of four phases, at least one', () => {
    for (const { phases } of [...plans, planOf({ seed: 1, minutes: 0.01, n: 4 })]) {
      const rounds = phases.length / 4;
      expect(phases.map(({ round, kind }) => `${round} ${kind}`)).toEqual(
        Array.from({ length: rounds }, (_, at) =>
          ['calm', 'few', 'many', 'healed'].map((kind) => `${at + 1} ${kind}`),
        ).flat(),
      );
    }
  });

  it('afflicts nobody, at most t or more than t, as the phase says', () => {
    for (const { n, t, phases } of plans)
      for (const { kind, spells } of phases)
        for (const spell of spells) {
          const count = afflictedIn(spell).size;
          const [least, most] = { calm: [0, 0], few: [1, t], many: [t + 1, n], healed: [0, 0] }[
            kind
          ];
          expect(count).toBeGreaterThanOrEqual(least);
          expect(count).toBeLessThanOrEqual(most);
        }
  });

  it('lets t+1 operators lie, never others, and all of them at once in each round', () => {
    for (const { t, liars, restored, phases } of plans) {
      expect(new Set(liars).size).toBe(t + 1);
      expect(liars).not.toContain(restored);
      const lying = phases.map(({ kind, spells }) => ({
        kind,
        counts: spells.map(({ afflictions }) => {
          const found = afflictions.filter(({ fault }) => fault.kind === 'lie');
          for (const { operator } of found) expect(liars).toContain(operator);
          return new Set(found.map(({ operator }) => operator)).size;
        }),
      }));
      for (const { kind, counts } of lying)
        expect(Math.max(...counts)).toBe({ calm: 0, few: t, many: t + 1, healed: 0 }[kind]);
    }
  });

  it('restores one operator once, where nobody else is afflicted', () => {
    for (const { restored, phases } of plans) {
      const found = phases.flatMap(({ kind, spells }) =>
        spells
          .filter((spell) => faultsOf([spell]).some((fault) => fault.kind === 'restore'))
          .map((spell) => ({ kind, afflicted: [...afflictedIn(spell)] })),
      );
      expect(found).toEqual([{ kind: 'few', afflicted: [restored] }]);
    }
  });

  it('has every kind of fault and every conduct in ten minutes', () => {
    const kinds: Fault['kind'][] = [
      ...(['kill', 'crash-loop', 'stop', 'pause', 'lie', 'restore'] as const),
      ...(['partition', 'refuse', 'latency', 'loss', 'reset', 'stall'] as const),
      ...(['rpc-down', 'rpc-slow', 'rpc-hanging', 'rpc-frozen'] as const),
    ];
    for (const { phases } of plans) {
      const faults = faultsOf(phases.flatMap(({ spells }) => spells));
      expect([...new Set(faults.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort());
      const told = faults.flatMap((fault) => (fault.kind === 'lie' ? fault.conduct : []));
      expect([...new Set(told)].sort()).toEqual([...conducts].sort());
    }
  });

  it('names conducts that there are', () => {
    for (const conduct of conducts) expect(twins).toHaveProperty(conduct);
  });
});
