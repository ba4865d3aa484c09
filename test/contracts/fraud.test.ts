import { bn254 } from '@noble/curves/bn254.js';
import {
  BaseError,
  ContractFunctionRevertedError,
  encodeFunctionData,
  keccak256,
  parseEventLogs,
  toHex,
  zeroAddress,
  zeroHash,
  type Hex,
} from 'viem';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { slashingManagerAbi } from '../../workers/chain/abi.ts';
import { signStatement } from '../../workers/chain/typed-data.ts';
import { merklePath, merkleRoot } from '../../workers/sharing/merkle.ts';
import { littleEndian, seededBytes } from '../workers/sharing/reference.ts';
import {
  fieldOrder,
  FlawKind,
  g1,
  g1Bytes,
  g2,
  g2Bytes,
  groupOrder,
  outsideG2,
  rightPoint,
  sectionOf,
  stateHash,
  stateOf,
  stateWith,
  type Factors,
  type Flaw,
  type PowersState,
} from './support/ceremony.ts';
import { activateEpoch } from './support/epoch.ts';
import {
  connectChain,
  deployGateway,
  operatorAccount,
  send,
  type DeployedGateway,
  type LocalChain,
} from './support/gateway.ts';

const beneficiary = '0x0000000000000000000000000000000000000077';
const factors: Factors = { tau: 1234567n, alpha: 89n, beta: 101112131415n };
const previous = keccak256(toHex('previous state'));
const ceremonyId = keccak256(toHex('ceremony'));
const infinity1: Hex = `0x${'00'.repeat(64)}`;
const [generator1, generator2] = [g1Bytes(g1(1n)), g2Bytes(g2(1n))];
const kinds = ['malformed', 'start', 'neighbours'] as const;
type Kind = (typeof kinds)[number];

/** Evidence against contributions: what is wrong is punished, and nothing else ever. */
describe('proveWrongContribution', () => {
  let chain: LocalChain;
  let gateway: DeployedGateway;
  let epochId: Hex;
  let untouched: { restore(): Promise<void> };

  beforeAll(async () => {
    chain = await connectChain();
    gateway = await deployGateway(chain);
    ({ epochId } = await activateEpoch(chain, gateway, 4, zeroHash));
    untouched = await chain.networkHelpers.takeSnapshot();
  });

  beforeEach(() => untouched.restore());

  test.each([
    ...[2, 3, 4, 5].map((section) => ({ section, place: 3 })),
    ...[2, 3, 4, 5].map((section) => ({ section, place: 0 })),
    ...[2, 3, 4, 5].map((section) => ({ section, place: sectionOf(section, 8).length - 2 })),
  ])('right neighbours are right in section $section at $place', async ({ section, place }) => {
    const right = {
      [`${section}/${place}`]: rightPoint(factors, section, place),
      [`${section}/${place + 1}`]: rightPoint(factors, section, place + 1),
    };
    const honest = stateWith(factors, right);
    for (const kind of kinds) {
      if (kind === 'start' && place !== 0) continue;
      const flaw = flawOf(honest, kind, section, place);
      expect(await verdictOn(honest.state, flaw)).toBe('SlashingManagerNoFlaw');
    }
    // The one after the last one is not there.
    const { length } = sectionOf(section, 8);
    if (place === 0) return;
    for (const beyond of [length - 1, length, 2 ** 32 - 1]) {
      const flaw = { ...flawOf(honest, 'neighbours', section, place), place: beyond };
      const moved = { ...flaw, leaves: [flaw.leaves[1], flaw.leaves[1]] };
      const verdict = await verdictOn(honest.state, moved);
      expect(['SlashingManagerPlace', 'SlashingManagerRoot']).toContain(verdict);
    }
  });

  test.each([2, 3, 4, 5])('a wrong power in section %i is wrong with both', async (section) => {
    const wrong = section === 3 ? g2Bytes(g2(5n)) : g1Bytes(g1(5n));
    const lie = stateWith(factors, {
      [`${section}/6`]: rightPoint(factors, section, 6),
      [`${section}/7`]: wrong,
      [`${section}/8`]: rightPoint(factors, section, 8),
    });
    for (const place of [6, 7])
      expect(await verdictOn(lie.state, flawOf(lie, 'neighbours', section, place))).toBe('wrong');
    for (const place of [6, 7, 8])
      expect(await verdictOn(lie.state, flawOf(lie, 'malformed', section, place))).toBe(
        'SlashingManagerNoFlaw',
      );
  });

  test('a path of the real tree, padding and all, leads to its root', async () => {
    const small: Factors = { tau: 3n, alpha: 5n, beta: 7n };
    const sections = [2, 4, 5];
    const leaves = sections
      .flatMap((section) =>
        Array.from({ length: sectionOf(section, 8).length }, (_, k) => {
          const power = 3n ** BigInt(k);
          return g1Bytes(g1({ 2: power, 4: 5n * power, 5: 7n * power }[section]!));
        }),
      )
      .map((hex) => Buffer.from(hex.slice(2), 'hex'));
    expect(leaves.length).toBe(4 * 256 - 1);
    const root = merkleRoot(leaves);
    const leafAt = (position: number) => ({
      point: toHex(leaves[position] ?? Buffer.alloc(64)),
      path: (position < leaves.length ? merklePath(leaves, position) : paddingPath(leaves)).map(
        (sibling) => toHex(sibling),
      ),
    });
    const state = stateOf(small, { g1Root: toHex(root) });
    const at = (kind: number, section: number, place: number, positions: number[]): Flaw => ({
      ...{ kind, section, place, leaves: positions.map(leafAt) },
    });
    const judge = (flaw: Flaw) => verdictOn(state, flaw);
    for (const section of sections) {
      const { offset, length } = sectionOf(section, 8);
      for (const place of [0, 1, 100, length - 2]) {
        const positions = [offset + place, offset + place + 1];
        expect(await judge(at(FlawKind.neighbours, section, place, positions))).toBe(
          'SlashingManagerNoFlaw',
        );
      }
      // The last of a section and the first of the next one are no neighbours.
      const border = [offset + length - 1, offset + length];
      const place = length - 1;
      expect(await judge(at(FlawKind.neighbours, section, place, border))).toBe(
        'SlashingManagerPlace',
      );
    }
    // The padding leaf, which is infinity, is behind the last place.
    expect(await judge(at(FlawKind.malformed, 5, 256, [1023]))).toBe('SlashingManagerPlace');
    expect(await judge(at(FlawKind.malformed, 5, 255, [1023]))).toBe('SlashingManagerRoot');
    expect(await judge(at(FlawKind.malformed, 5, 255, [1022]))).toBe('SlashingManagerNoFlaw');
    // Another section's number reaches the same leaves only under its own places.
    expect(await judge(at(FlawKind.start, 4, 0, [511]))).toBe('SlashingManagerNoFlaw');
    expect(await judge(at(FlawKind.start, 5, 0, [511]))).toBe('SlashingManagerRoot');
  });

  test('every malformed point counts, and no well-formed one', async () => {
    const p = fieldOrder;
    const right1 = g1(77n);
    const right2 = g2(77n);
    const bad: [number, Hex][] = [
      ...[
        { x: right1.x + p, y: right1.y },
        { x: right1.x, y: right1.y + p },
        { x: right1.x, y: (right1.y + 1n) % p },
        { x: 2n ** 256n - 1n, y: 2n ** 256n - 1n },
        { x: 0n, y: 0n },
      ].map((point): [number, Hex] => [2, g1Bytes(point)]),
      ...[
        { x: [right2.x[0] + p, right2.x[1]], y: right2.y },
        { x: [right2.x[0], right2.x[1] + p], y: right2.y },
        { x: right2.x, y: [right2.y[0] + p, right2.y[1]] },
        { x: right2.x, y: [right2.y[0], right2.y[1] + p] },
        { x: right2.x, y: [right2.y[0], (right2.y[1] + 1n) % p] },
        { x: [right2.x[1], right2.x[0]], y: [right2.y[1], right2.y[0]] },
        { x: [0n, 0n], y: [0n, 0n] },
        outsideG2(),
      ].map((point): [number, Hex] => [3, g2Bytes(point as PowersState['tauG2'])]),
    ];
    for (const [section, point] of bad) {
      for (const place of [0, 2, 255]) {
        const lie = stateWith(factors, { [`${section}/${place}`]: point });
        expect(await verdictOn(lie.state, flawOf(lie, 'malformed', section, place))).toBe('wrong');
      }
      // It is no neighbour: a pairing with it says nothing.
      const good = section === 3 ? g2Bytes(right2) : g1Bytes(right1);
      for (const [one, two] of [
        [good, point],
        [point, good],
      ]) {
        const pair = stateWith(factors, { [`${section}/2`]: one, [`${section}/3`]: two });
        expect(await verdictOn(pair.state, flawOf(pair, 'neighbours', section, 2))).toBe(
          'SlashingManagerMalformed',
        );
      }
    }
    // The negative of a point is as well-formed as the point.
    const negated = g1Bytes({ x: right1.x, y: p - right1.y });
    const honest = stateWith(factors, { '2/5': negated });
    expect(await verdictOn(honest.state, flawOf(honest, 'malformed', 2, 5))).toBe(
      'SlashingManagerNoFlaw',
    );
  });

  test('sections start with what the state says', async () => {
    const starts: [number, number, Hex][] = [
      [2, 0, generator1],
      [2, 1, rightPoint(factors, 2, 1)],
      [3, 0, generator2],
      [3, 1, rightPoint(factors, 3, 1)],
      [4, 0, rightPoint(factors, 4, 0)],
      [5, 0, rightPoint(factors, 5, 0)],
    ];
    for (const [section, place, right] of starts) {
      const honest = stateWith(factors, { [`${section}/${place}`]: right });
      expect(await verdictOn(honest.state, flawOf(honest, 'start', section, place))).toBe(
        'SlashingManagerNoFlaw',
      );
      const other = section === 3 ? g2Bytes(g2(9n)) : g1Bytes(g1(9n));
      const lie = stateWith(factors, { [`${section}/${place}`]: other });
      expect(await verdictOn(lie.state, flawOf(lie, 'start', section, place))).toBe('wrong');
    }
    // No other place has a value of its own.
    for (const [section, place] of [
      [2, 2],
      [3, 2],
      [4, 1],
      [5, 1],
    ] as const) {
      const right = rightPoint(factors, section, place);
      const honest = stateWith(factors, { [`${section}/${place}`]: right });
      expect(await verdictOn(honest.state, flawOf(honest, 'start', section, place))).toBe(
        'SlashingManagerPlace',
      );
    }
  });

  test('the points of a state are well-formed and belong together', async () => {
    const flaw: Flaw = { kind: FlawKind.points, section: 0, place: 0, leaves: [] };
    const honest = stateOf(factors);
    expect(await verdictOn(honest, flaw)).toBe('SlashingManagerNoFlaw');
    const offCurve = { x: 1n, y: 3n };
    for (const changed of [
      { tauG1: offCurve },
      { alphaG1: offCurve },
      { betaG1: offCurve },
      { tauG1: { x: 1n + fieldOrder, y: 2n } },
      { betaG1: { x: 0n, y: 0n } },
      { tauG2: outsideG2() },
      { betaG2: outsideG2() },
      { tauG2: { x: [0n, 0n], y: [0n, 0n] } as const },
      { tauG2: g2(factors.tau + 1n) },
      { betaG2: g2(factors.beta + 1n) },
      { tauG1: g1(factors.tau + 1n) },
      { betaG1: g1(factors.beta + 1n) },
      // Two errors that cancel each other in a sum without random coefficients.
      { tauG1: g1(factors.tau + 1n), betaG1: g1(factors.beta - 1n) },
    ])
      expect(await verdictOn({ ...honest, ...changed }, flaw)).toBe('wrong');
    // alpha is in one group only, so any number is as good as another.
    expect(await verdictOn({ ...honest, alphaG1: g1(3n) }, flaw)).toBe('SlashingManagerNoFlaw');
  });

  test('points of a state that are refused say nothing about its leaves', async () => {
    const right = { '2/2': rightPoint(factors, 2, 2), '2/3': rightPoint(factors, 2, 3) };
    const { state, leaf } = stateWith(factors, right);
    const flaw = flawOf({ leaf }, 'neighbours', 2, 2);
    for (const tauG2 of [outsideG2(), { x: [1n, 1n], y: [1n, 1n] } as const])
      expect(await verdictOn({ ...state, tauG2 }, flaw)).toBe('SlashingManagerMalformed');
  });

  test('evidence of another form is refused', async () => {
    const lie = stateWith(factors, {
      ...{ '2/2': rightPoint(factors, 2, 2), '2/3': g1Bytes(g1(9n)), '3/3': g2Bytes(outsideG2()) },
    });
    const wrong = flawOf(lie, 'neighbours', 2, 2);
    expect(await verdictOn(lie.state, wrong)).toBe('wrong');
    const [one, two] = wrong.leaves as [Flaw['leaves'][0], Flaw['leaves'][0]];
    const flaw = (changes: Partial<Flaw>) => verdictOn(lie.state, { ...wrong, ...changes });
    expect(await flaw({ leaves: [two, one] })).toBe('SlashingManagerRoot');
    expect(await flaw({ leaves: [one] })).toBe('SlashingManagerLeaves');
    expect(await flaw({ leaves: [one, two, two] })).toBe('SlashingManagerLeaves');
    expect(await flaw({ leaves: [] })).toBe('SlashingManagerLeaves');
    expect(await flaw({ kind: FlawKind.points })).toBe('SlashingManagerLeaves');
    expect(await flaw({ place: 3 })).toBe('SlashingManagerRoot');
    for (const section of [0, 1, 6, 7, 255])
      expect(await flaw({ section })).toBe('SlashingManagerPlace');
    expect(await flaw({ section: 3 })).toBe('SlashingManagerPoint');
    expect(await flaw({ section: 4 })).toBe('SlashingManagerRoot');
    const changed = (leaf: Partial<Flaw['leaves'][0]>) =>
      flaw({ leaves: [{ ...one, ...leaf }, two] });
    expect(await changed({ path: one.path.slice(1) })).toBe('SlashingManagerPath');
    expect(await changed({ path: [...one.path, zeroHash] })).toBe('SlashingManagerPath');
    expect(await changed({ path: [zeroHash, ...one.path.slice(1)] })).toBe('SlashingManagerRoot');
    expect(await changed({ point: `${one.point}00` })).toBe('SlashingManagerPoint');
    expect(await changed({ point: '0x' })).toBe('SlashingManagerPoint');
    expect(await changed({ point: infinity1 })).toBe('SlashingManagerRoot');
    // An inner node does not pass for a leaf, nor a leaf of one tree for one of the other.
    const node = `0x${one.path[0].slice(2)}${one.path[1].slice(2)}` as Hex;
    expect(await changed({ point: node, path: one.path.slice(1) })).toBe('SlashingManagerPath');
    const swapped = { ...lie.state, g1Root: lie.state.g2Root, g2Root: lie.state.g1Root };
    expect(await verdictOn(swapped, wrong)).toBe('SlashingManagerRoot');
    for (const power of [0, 7, 18, 255])
      expect(await verdictOn({ ...lie.state, power }, wrong)).toBe('SlashingManagerPower');
    expect(await verdictOn({ ...lie.state, power: 9 }, wrong)).toBe('SlashingManagerPath');
  });

  describe('punishes', () => {
    const lie = stateWith(factors, { '2/0': g1Bytes(g1(2n)) });
    const flaw = flawOf(lie, 'start', 2, 0);
    const id = stateHash(lie.state);

    test('everybody who signed, each by half of the bond', async () => {
      const { operatorRegistry, slashingManager, crsManager } = gateway;
      expect(await crsManager.read.slashingManager()).toBe(
        await gateway.decryptionGateway.read.slashingManager(),
      );
      const accused = await signedBy([4, 2, 1], lie.state);
      const receipt = await prove(lie.state, flaw, accused);
      const events = parseEventLogs({
        ...{ abi: slashingManagerAbi, logs: receipt.logs, eventName: 'OffenceProven' },
      });
      expect(events.map(({ args }) => [args.offence, args.subject, args.beneficiary])).toEqual(
        [4, 2, 1].map(() => [3, id, beneficiary]),
      );
      const bondWei = await operatorRegistry.read.minimumBondWei();
      for (const index of [1, 2, 3, 4]) {
        const operator = await operatorRegistry.read.getOperator([operatorAccount(index).address]);
        const isAccused = index !== 3;
        expect(operator.bondWei).toBe(isAccused ? bondWei / 2n : bondWei);
        expect(operator.removed).toBe(isAccused);
        const offenceId = await slashingManager.read.offenceId([3, epochId, id, index]);
        expect(await slashingManager.read.isPunished([offenceId])).toBe(isAccused);
      }
      expect(await slashingManager.read.isWrongState([id])).toBe(true);
      // Not twice, by no other flaw, and one who is left does not need the others.
      await expect(prove(lie.state, flaw, accused)).rejects.toThrow('SlashingManagerPunished');
      await prove(lie.state, flaw, await signedBy([3], lie.state));
    });

    test('nobody twice in one call', async () => {
      const accused = await signedBy([1, 1], lie.state);
      expect(await verdictOn(lie.state, flaw, accused)).toBe('SlashingManagerPunished');
      await gateway.slashingManager.write.setPenalty([3, 10n ** 18n, 0n]);
      const verdict = await verdictOn(lie.state, flaw, accused);
      expect(verdict).toBe('OperatorRegistryNothingToSlash');
    });

    test('nobody who signed something else', async () => {
      const [accused] = await signedBy([1], lie.state);
      const { slashingManager } = gateway;
      const judge = async (changes: {
        epochId?: Hex;
        ceremonyId?: Hex;
        previous?: Hex;
        accused?: typeof accused;
      }) => {
        const given = { epochId, ceremonyId, previous, accused: accused, ...changes };
        return verdict(
          slashingManager.simulate.proveWrongContribution([
            ...([given.epochId, given.ceremonyId, given.previous, lie.state, flaw] as const),
            ...([[given.accused], beneficiary] as const),
          ]),
        );
      };
      expect(await judge({})).toBe('wrong');
      const signature = 'SlashingManagerSignature';
      expect(await judge({ ceremonyId: previous })).toBe(signature);
      expect(await judge({ previous: zeroHash })).toBe(signature);
      expect(await judge({ epochId: previous })).toBe('SlashingManagerEpoch');
      const other = await activateEpoch(chain, gateway, 4, previous);
      expect(await judge({ epochId: other.epochId })).toBe(signature);
      for (const index of [0, 5, 255])
        expect(await judge({ accused: { ...accused, index } })).toBe('SlashingManagerIndex');
      expect(await judge({ accused: { ...accused, index: 2 } })).toBe(signature);
      expect(await judge({ accused: { index: 1, signature: '0x' } })).toBe(signature);
      // What is right was signed as what comes before the wrong one, not as what comes after.
      const swapped = await signStatement(operatorAccount(1), gateway.deployment, {
        type: 'Contribution',
        message: { epochId, ceremonyId, previous: id, next: previous },
      });
      expect(await judge({ accused: { index: 1, signature: swapped } })).toBe(signature);
      expect(await judge({ previous: id, accused: { index: 1, signature: swapped } })).toBe(
        signature,
      );
    });

    test('nobody for a right state, whoever signed it', async () => {
      const honest = stateWith(factors, { '2/0': generator1 });
      const accused = await signedBy([1, 2, 3, 4], honest.state);
      expect(await verdictOn(honest.state, flawOf(honest, 'start', 2, 0), accused)).toBe(
        'SlashingManagerNoFlaw',
      );
      expect(await gateway.slashingManager.read.isWrongState([stateHash(honest.state)])).toBe(
        false,
      );
    });

    test('without anybody accused it puts the state on record, once', async () => {
      await prove(lie.state, flaw, []);
      expect(await gateway.slashingManager.read.isWrongState([id])).toBe(true);
      await expect(prove(lie.state, flaw, [])).rejects.toThrow('SlashingManagerStateKnown');
      await prove(lie.state, flaw, await signedBy([1], lie.state));
    });

    test('and pays somebody', async () => {
      const accused = await signedBy([1], lie.state);
      const args = [epochId, ceremonyId, previous, lie.state, flaw, accused, zeroAddress] as const;
      expect(await verdict(gateway.slashingManager.simulate.proveWrongContribution(args))).toBe(
        'SlashingManagerZeroAccount',
      );
    });
  });

  test('a starved call never looks like a flaw', async () => {
    const right = {
      ...{ '3/2': rightPoint(factors, 3, 2), '3/3': rightPoint(factors, 3, 3) },
      ...{ '2/2': rightPoint(factors, 2, 2), '2/3': rightPoint(factors, 2, 3) },
    };
    const honest = stateWith(factors, right);
    const accused = await signedBy([1], honest.state);
    const points: Flaw = { kind: FlawKind.points, section: 0, place: 0, leaves: [] };
    for (const flaw of [
      points,
      flawOf(honest, 'malformed', 3, 2),
      flawOf(honest, 'neighbours', 3, 2),
      flawOf(honest, 'neighbours', 2, 2),
    ])
      for (let gas = 40_000n; gas < 1_500_000n; gas += 9_973n)
        expect(await succeeds(honest.state, flaw, accused, gas)).toBe(false);

    // With one that is outside G2 there is a least amount from which on it is always proven.
    const lie = stateWith(factors, { '3/2': g2Bytes(outsideG2()) });
    const signed = await signedBy([1], lie.state);
    const outcomes = [];
    for (let gas = 40_000n; gas < 1_500_000n; gas += 49_999n)
      outcomes.push(await succeeds(lie.state, flawOf(lie, 'malformed', 3, 2), signed, gas));
    expect(outcomes).toEqual([...outcomes].sort());
    expect(new Set(outcomes).size).toBe(2);
  });

  test('the verdict is that of noble-curves, on random points', async () => {
    const random = seededBytes('flaws');
    const below = (bound: number) => Number(littleEndian(random(6)) % BigInt(bound));
    const scalar = () => 1n + (littleEndian(random(32)) % (groupOrder - 1n));
    const seen: Record<string, number> = {};
    for (let k = 0; k < 400; k++) {
      const own: Factors = { tau: scalar(), alpha: scalar(), beta: scalar() };
      const section = 2 + below(4);
      const kind = kinds[below(3)];
      const last = kind === 'start' ? (section < 4 ? 2 : 1) : sectionOf(section, 8).length - 1;
      const place = below(Math.min(last, 40));
      const points = [place, place + 1].map((at) =>
        spoiled(rightPoint(own, section, at), section, below(9), scalar, below),
      );
      const file = Object.fromEntries(points.map((point, i) => [`${section}/${place + i}`, point]));
      const { state, leaf } = stateWith(own, file);
      const expected = decide(own, kind, section, place, points as [Hex, Hex]);
      const actual = await verdictOn(state, flawOf({ leaf }, kind, section, place));
      expect({ k, kind, section, place, actual }).toEqual({
        ...{ k, kind, section, place, actual: expected },
      });
      const name = `${kind} ${actual}`;
      seen[name] = (seen[name] ?? 0) + 1;
    }
    expect(Object.keys(seen).sort()).toEqual([
      'malformed SlashingManagerNoFlaw',
      'malformed wrong',
      'neighbours SlashingManagerMalformed',
      'neighbours SlashingManagerNoFlaw',
      'neighbours wrong',
      'start SlashingManagerNoFlaw',
      'start wrong',
    ]);
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10);
  });

  async function signedBy(indices: readonly number[], state: PowersState) {
    const accused = [];
    for (const index of indices) {
      const signature = await signStatement(operatorAccount(index), gateway.deployment, {
        type: 'Contribution',
        message: { epochId, ceremonyId, previous, next: stateHash(state) },
      });
      accused.push({ index, signature });
    }
    return accused;
  }

  type Accused = Awaited<ReturnType<typeof signedBy>>;

  const callOf = (state: PowersState, flaw: Flaw, accused: Accused) =>
    [epochId, ceremonyId, previous, state, flaw, accused, beneficiary] as const;

  function prove(state: PowersState, flaw: Flaw, accused: Accused) {
    const args = callOf(state, flaw, accused);
    return send(chain, undefined, gateway.slashingManager, 'proveWrongContribution', args);
  }

  async function verdictOn(state: PowersState, flaw: Flaw, accused?: Accused): Promise<string> {
    const { simulate } = gateway.slashingManager;
    const args = callOf(state, flaw, accused ?? (await signedBy([1], state)));
    return verdict(simulate.proveWrongContribution(args));
  }

  async function succeeds(state: PowersState, flaw: Flaw, accused: Accused, gas: bigint) {
    const data = encodeFunctionData({
      abi: slashingManagerAbi,
      functionName: 'proveWrongContribution',
      args: callOf(state, flaw, accused),
    });
    const to = gateway.slashingManager.address;
    return chain.client.call({ to, data, gas }).then(
      () => true,
      () => false,
    );
  }
});

async function verdict(simulated: Promise<unknown>): Promise<string> {
  try {
    await simulated;
    return 'wrong';
  } catch (error) {
    const reason =
      error instanceof BaseError &&
      error.walk((cause) => cause instanceof ContractFunctionRevertedError);
    const name = reason instanceof ContractFunctionRevertedError && reason.data?.errorName;
    // An error of another contract has no name in this one's ABI.
    if (!name && String(error).includes('OperatorRegistryNothingToSlash'))
      return 'OperatorRegistryNothingToSlash';
    if (!name) throw error;
    return name;
  }
}

function flawOf(
  { leaf }: Pick<ReturnType<typeof stateWith>, 'leaf'>,
  kind: Kind,
  section: number,
  place: number,
): Flaw {
  const places = kind === 'neighbours' ? [place, place + 1] : [place];
  const leaves = places.map((at) => leaf(section, at));
  return { kind: FlawKind[kind], section, place, leaves };
}

/** Siblings of the leaf behind the last one, in a tree that lacks one leaf. */
function paddingPath(leaves: readonly Uint8Array[]) {
  return merklePath([...leaves, Buffer.alloc(64)], leaves.length);
}

/** Half of the points stay as they are. */
function spoiled(
  right: Hex,
  section: number,
  how: number,
  scalar: () => bigint,
  below: (bound: number) => number,
): Hex {
  const words = right
    .slice(2)
    .match(/.{64}/g)!
    .map((word) => BigInt(`0x${word}`));
  const which = below(words.length);
  const changed = (value: bigint) => words.map((word, i) => (i === which ? value : word));
  const bytes = (values: bigint[]): Hex =>
    `0x${values.map((value) => toHex(value, { size: 32 }).slice(2)).join('')}`;
  if (how < 4) return right;
  if (how === 4) return bytes(changed((words[which] + 1n) % fieldOrder));
  if (how === 5) return bytes(changed(words[which] + fieldOrder));
  if (how === 6) return section === 3 ? g2Bytes(outsideG2()) : bytes(words.map(() => 0n));
  return section === 3 ? g2Bytes(g2(scalar())) : g1Bytes(g1(scalar()));
}

/** What noble-curves says. */
function decide(
  { tau, alpha, beta }: Factors,
  kind: Kind,
  section: number,
  place: number,
  points: readonly [Hex, Hex],
): string {
  const [first, second] = points.map((point) => parse(section, point));
  if (kind === 'malformed') return first === undefined ? 'wrong' : 'SlashingManagerNoFlaw';
  if (kind === 'start') {
    const scalars = { 2: [1n, tau], 3: [1n, tau], 4: [alpha], 5: [beta] }[section]!;
    const right = section === 3 ? g2Bytes(g2(scalars[place])) : g1Bytes(g1(scalars[place]));
    return points[0] === right ? 'SlashingManagerNoFlaw' : 'wrong';
  }
  if (first === undefined || second === undefined) return 'SlashingManagerMalformed';
  const { Fp12 } = bn254.fields;
  const { G1, G2 } = bn254;
  type P1 = typeof G1.Point.BASE;
  type P2 = typeof G2.Point.BASE;
  const [left, right] =
    section === 3
      ? [
          bn254.pairing(G1.Point.BASE, second as P2),
          bn254.pairing(G1.Point.BASE.multiply(tau), first as P2),
        ]
      : [
          bn254.pairing(second as P1, G2.Point.BASE),
          bn254.pairing(first as P1, G2.Point.BASE.multiply(tau)),
        ];
  return Fp12.eql(left, right) ? 'SlashingManagerNoFlaw' : 'wrong';
}

/** The point, if it is one of its group in its one form. */
function parse(section: number, point: Hex) {
  const words = point
    .slice(2)
    .match(/.{64}/g)!
    .map((word) => BigInt(`0x${word}`));
  if (words.some((word) => word >= fieldOrder) || words.every((word) => word === 0n))
    return undefined;
  try {
    const parsed =
      section === 3
        ? bn254.G2.Point.fromAffine({
            x: { c1: words[0], c0: words[1] },
            y: { c1: words[2], c0: words[3] },
          })
        : bn254.G1.Point.fromAffine({ x: words[0], y: words[1] });
    parsed.assertValidity();
    return parsed;
  } catch {
    return undefined;
  }
}
