import { hexToBigInt, keccak256, parseEventLogs, toHex, zeroHash, type Hex } from 'viem';
import { afterAll, describe, expect, test } from 'vitest';

import { crsManagerAbi } from '../../workers/chain/abi.ts';
import { signStatement } from '../../workers/chain/typed-data.ts';
import {
  FlawKind,
  g1,
  g1Bytes,
  g2,
  g2Bytes,
  groupOrder,
  initialState,
  outsideG2,
  proveUpdate,
  rightPoint,
  stateHash,
  stateOf,
  stateWith,
  type Factors,
  type Flaw,
  type PowersState,
} from './support/ceremony.ts';
import { activateEpoch } from './support/epoch.ts';
import { expectGas } from './support/gas.ts';
import {
  connectChain,
  deployGateway,
  firstMembers,
  operatorAccount,
  quorumOf,
  send,
  signaturesOf,
} from './support/gateway.ts';

const snapshotFile = new URL('ceremony-gas.json', import.meta.url);

/** A time to come, so that slots and ids are the same in every run. */
const startSeconds = 4_000_000_000n;
const slotSeconds = 100;
const contributionLimit = 500_000n;
const evidenceLimit = 600_000n;

/** What contributor number k multiplies by. */
const factorsOf = (k: number): Factors => {
  const of = (name: string) => hexToBigInt(keccak256(toHex(`${name} of ${k}`))) % groupOrder;
  return { tau: of('tau'), alpha: of('alpha'), beta: of('beta') };
};

/**
 * Gas of whole transactions of a ceremony, compared with the committed ceremony-gas.json. The power
 * matters to evidence only: what is on chain of a state has one size.
 */
describe('gas of a ceremony', () => {
  const measured: Record<string, number> = {};

  afterAll(() => expectGas(snapshotFile, measured));

  test.each([4, 13])('with a committee of %i', { timeout: 120_000 }, async (n) => {
    const chain = await connectChain();
    await chain.networkHelpers.time.increaseTo(startSeconds);
    const gateway = await deployGateway(chain);
    const { crsManager, slashingManager, deployment } = gateway;
    const { epochId } = await activateEpoch(chain, gateway, n, zeroHash);
    const quorum = quorumOf(n);
    const record = (name: string, gas: bigint) => {
      measured[`n=${n} ${name}`] = Number(gas);
    };
    const call = async (name: string, functionName: string, args: readonly unknown[]) => {
      const receipt = await send(chain, undefined, crsManager, functionName, args);
      record(name, receipt.gasUsed);
      return receipt;
    };
    const request = async (name: string, beacon: number, salt: Hex) => {
      const asked = [epochId, 8, slotSeconds, beacon, salt];
      const { logs } = await call(name, 'requestCrs', asked);
      const [event] = parseEventLogs({ abi: crsManagerAbi, eventName: 'CrsRequested', logs });
      return event.args.ceremonyId;
    };

    await request('request the first ceremony', 0, keccak256(toHex('another')));
    const ceremonyId = await request('request a ceremony', 10, zeroHash);
    let total: Factors = { tau: 1n, alpha: 1n, beta: 1n };
    let previous: PowersState = initialState();
    const contribute = async (name: string, index: number, k: number) => {
      const own = factorsOf(k);
      const times = (key: keyof Factors) => (total[key] * own[key]) % groupOrder;
      total = { tau: times('tau'), alpha: times('alpha'), beta: times('beta') };
      const next = stateOf(total);
      const step = { chainId: deployment.chainId, crsManager: crsManager.address };
      const proof = proveUpdate({ ...step, ceremonyId, index }, previous, next, own);
      const signatures = await signaturesOf(
        deployment,
        {
          type: 'Contribution',
          message: { epochId, ceremonyId, previous: stateHash(previous), next: stateHash(next) },
        },
        quorum,
      );
      const { gasUsed } = await call(name, 'contribute', [
        ...[ceremonyId, index, previous, next, proof, firstMembers(quorum), signatures],
      ]);
      expect(gasUsed).toBeLessThan(contributionLimit);
      previous = next;
    };
    for (let k = 0; k < n; k++) {
      const [index] = await crsManager.read.slotOf([ceremonyId]);
      const name = ['first contribution', 'contribution'][Math.min(k, 1)];
      await contribute(name, index, k);
    }
    await chain.networkHelpers.time.increase(slotSeconds);
    await call('fix the beacon', 'fixBeacon', [ceremonyId]);
    await chain.networkHelpers.mine(2);
    await call('draw the beacon', 'drawBeacon', [ceremonyId]);
    await contribute('contribution of the beacon', 0, n);
    const signatures = await signaturesOf(
      deployment,
      {
        ...{ type: 'Result', contract: 'crsManager' },
        message: { epochId, requestId: ceremonyId, result: stateHash(previous) },
      },
      quorum,
    );
    await call('finish', 'finish', [ceremonyId, firstMembers(quorum), signatures]);

    // Evidence
    const beneficiary = chain.outsider.account.address;
    const before = keccak256(toHex('previous state'));
    const untouched = await chain.networkHelpers.takeSnapshot();
    const prove = async (name: string, state: PowersState, flaw: Flaw, accused: number) => {
      const signed = [];
      for (let index = 1; index <= accused; index++) {
        const signature = await signStatement(operatorAccount(index), deployment, {
          type: 'Contribution',
          message: { epochId, ceremonyId, previous: before, next: stateHash(state) },
        });
        signed.push({ index, signature });
      }
      const { gasUsed } = await send(chain, undefined, slashingManager, 'proveWrongContribution', [
        ...[epochId, ceremonyId, before, state, flaw, signed, beneficiary],
      ]);
      await untouched.restore();
      record(`prove ${name}`, gasUsed);
      return gasUsed;
    };
    const factors = factorsOf(99);
    for (const power of [12, 17]) {
      const place = 1000;
      const [wrong1, wrong2] = [g1Bytes(g1(factors.alpha)), g2Bytes(g2(factors.alpha))];
      const lies: [string, number, number, number, Record<string, Hex>][] = [
        [
          'a malformed leaf of G1',
          FlawKind.malformed,
          2,
          place,
          { '2/1000': `0x${'ab'.repeat(64)}` },
        ],
        ['a leaf outside G2', FlawKind.malformed, 3, place, { '3/1000': g2Bytes(outsideG2()) }],
        ['a wrong start', FlawKind.start, 2, 1, { '2/1': wrong1 }],
        [
          ...(['wrong neighbours in G1', FlawKind.neighbours, 2, place] as const),
          { '2/1000': rightPoint(factors, 2, place), '2/1001': wrong1 },
        ],
        [
          ...(['wrong neighbours in G2', FlawKind.neighbours, 3, place] as const),
          { '3/1000': rightPoint(factors, 3, place), '3/1001': wrong2 },
        ],
      ];
      for (const [name, kind, section, at, points] of lies) {
        const { state, leaf } = stateWith(factors, points, power);
        const places = kind === FlawKind.neighbours ? [at, at + 1] : [at];
        const leaves = places.map((k) => leaf(section, k));
        const flaw = { kind, section, place: at, leaves };
        const gas = await prove(`${name} of 2^${power}`, state, flaw, 1);
        expect(gas).toBeLessThan(evidenceLimit);
        if (name === 'wrong neighbours in G1')
          await prove(`${name} of 2^${power}, signed by a quorum`, state, flaw, quorum);
      }
    }
    const points: Flaw = { kind: FlawKind.points, section: 0, place: 0, leaves: [] };
    const state = { ...stateOf(factors), betaG2: g2(factors.tau) };
    await prove('wrong points', state, points, 1);
  });
});
