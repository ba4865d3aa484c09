import { createHash } from 'node:crypto';
import { sha256, stringToHex } from 'viem';
import type { Hex } from 'viem';
import { galoisElements } from '../../workers/fhe/galois-elements.ts';
import { decodePacked, encodePacked } from '../../workers/net/packed.ts';
import { LARGE_OPERATION_BYTES } from '../../workers/operator/config/config.ts';
import { drive } from '../../workers/protocols/drive.ts';
import { entriesOf, openingBytes } from '../../workers/protocols/evaluation-keys.ts';
import type { EvaluationKeyRequest } from '../../workers/protocols/evaluation-keys.ts';
import * as keyGeneration from '../../workers/protocols/key-generation.ts';
import type { KeyShare, Opening, Part, Secrets, Session } from '../../workers/protocols/opening.ts';
import type { RnsVector } from '../../workers/ring/basis.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import {
  combinationShape,
  combinationsOf,
  valueDigest,
} from '../../workers/sharing/combinations.ts';
import { commitShare } from '../../workers/sharing/commitment.ts';
import type { Committee } from '../../workers/sharing/committee.ts';
import { checkLateShare, openRobustly } from '../../workers/sharing/opening.ts';
import type { OpeningShape } from '../../workers/sharing/opening.ts';
import { simulate } from '../workers/protocols/simulation.ts';
import { medianOf, startCost, sumOf } from './cost.ts';
import type { Cost } from './cost.ts';
import type { Measurement } from './report.ts';
import { sealCosts } from './seal-keys.ts';
import { bytesAllToAll, bytesThroughOpener } from './traffic.ts';

/**
 * Times that keys of a few openings are made, beside one that is not counted: what is not compiled yet
 * would be measured as slow. A hundred openings are measured once, after the others.
 */
const RUNS = 5;

/** Keys that are asked for at once. */
interface Kind {
  readonly name: string;
  readonly parts: () => Iterable<Part<Uint8Array>>;
  /** Whether the share of the secret key is made with them, or at hand. */
  readonly makesSecretKey: boolean;
  /** Whether they go through openers. */
  readonly isLarge: boolean;
}

/** An opening of the key set, with the operator's share. */
interface Contribution {
  readonly opening: Opening;
  readonly share: RnsVector;
}

/** What one operator does for keys of one kind. */
interface Work {
  readonly own: Cost;
  readonly collecting: Cost;
  /** Bytes sent. */
  readonly sent: number;
  /** The same if everybody asked everybody. */
  readonly sentAllToAll: number;
}

/**
 * What one operator computes and sends for a full set of keys under bfv-8192-b20: public key,
 * relinearization key and default Galois keys, all digits; against SEAL making the same keys alone.
 *
 * - `own work`: all that an operator computes except what follows from the others' shares: ids and
 *   public polynomials, shares, their commitments, the digits as SEAL's objects and their SHA-256. The
 *   share of the secret key is computed with the public key, as SEAL's secret key is.
 * - `collecting`: packing what is sent, unpacking what is received, decoding, checking late shares,
 *   recomputing the commitments. Keys that are large go through openers: the operator collects every
 *   nth opening; of the others it unpacks the published value and computes the combinations that check
 *   it.
 * - `bytes sent`: computed, for peers that are all honest and there; against everybody asking everybody.
 *
 * Not in it: signatures, disk, network and chain. What counts as opened is the operator's own share: it
 * makes another key, in the same time.
 */
export async function benchKeys(): Promise<Measurement[]> {
  const set = parameterSet('bfv-8192-b20');
  const alone = sealCosts(set);
  const measurements: Measurement[] = [];
  for (const n of [4, 13]) measurements.push(...(await benchCommittee(set, n, alone)));
  return measurements;
}

async function benchCommittee(
  set: ParameterSet,
  n: number,
  alone: readonly Cost[],
): Promise<Measurement[]> {
  const { session, randomness } = simulate(n, { present: 1 });
  const keyId = sha256(stringToHex('bench'));
  const kinds = kindsOf(session, set, keyId);
  const measured = async (kind: Kind): Promise<Work> => {
    const own = randomness.get(1)!;
    const runs: Work[] = [];
    for (let run = kind.isLarge ? 0 : -1; run < (kind.isLarge ? 1 : RUNS); run++) {
      let keyShare: KeyShare | undefined;
      const secrets: Secrets = {
        randomness: own,
        keyShare: () => (keyShare ??= keyGeneration.keyShareOf(session, { keyId, set }, own)),
      };
      if (!kind.makesSecretKey) secrets.keyShare(keyId);
      const work = await workOf(session.committee, kind, secrets);
      if (run >= 0) runs.push(work);
    }
    return {
      ...runs[0],
      own: medianOf(runs.map((run) => run.own)),
      collecting: medianOf(runs.map((run) => run.collecting)),
    };
  };
  const work: Work[] = [];
  for (const kind of kinds) work.push(await measured(kind));

  const times = (what: string, cost: Cost, baseline: Cost): Measurement[] =>
    (['cpuMs', 'wallMs'] as const).map((time) => ({
      name: `keys, n=${n}: ${what}, ${time === 'cpuMs' ? 'CPU' : 'wall'}`,
      unit: 'ms',
      value: cost[time],
      baseline: baseline[time],
      ratio: cost[time] / baseline[time],
    }));
  const bytes = (what: string, { sent, sentAllToAll }: Work): Measurement => ({
    name: `keys, n=${n}: ${what}, bytes sent`,
    unit: 'MB',
    value: sent / 1e6,
    baseline: sentAllToAll / 1e6,
    ratio: sent / sentAllToAll,
  });
  const all: Work = {
    own: sumOf(work.map(({ own }) => own)),
    collecting: sumOf(work.map(({ collecting }) => collecting)),
    sent: work.reduce((sum, { sent }) => sum + sent, 0),
    sentAllToAll: work.reduce((sum, { sentAllToAll }) => sum + sentAllToAll, 0),
  };
  const names = [...kinds.map(({ name }) => name), 'full set'];
  const baselines = [...alone, sumOf(alone)];
  return [...work, all].flatMap((one, at) => [
    ...times(`${names[at]}, own work`, one.own, baselines[at]),
    ...times(`${names[at]}, collecting`, one.collecting, baselines[at]),
    bytes(names[at], one),
  ]);
}

/** The full set, in the order of `sealCosts`. */
function kindsOf(session: Session, set: ParameterSet, keyId: Hex): Kind[] {
  const evaluationKeys = (name: string, request: EvaluationKeyRequest): Kind => ({
    name,
    makesSecretKey: false,
    parts: () =>
      entriesOf(session, request, set, () => 0).flatMap(({ digits, digit }) =>
        Array.from({ length: digits }, (_, d) => digit(d)),
      ),
    isLarge: openingBytes(request, set) > LARGE_OPERATION_BYTES,
  });
  function* publicKey(): Part<Uint8Array> {
    return (yield* keyGeneration.publicKey(session, { keyId, set })).publicKey;
  }
  const elements = galoisElements(set.degree, 'default');
  return [
    { name: 'public key', makesSecretKey: true, parts: () => [publicKey()], isLarge: false },
    evaluationKeys('relinearization key', { kind: 'relinearization', keyId }),
    evaluationKeys('default Galois keys', { kind: 'galois', keyId, elements }),
  ];
}

/** Does everything that an operator computes for keys of one kind. */
async function workOf({ n }: Committee, { parts, isLarge }: Kind, secrets: Secrets): Promise<Work> {
  const contributions: Contribution[] = [];
  const stopOwn = startCost();
  const hash = createHash('sha256');
  for (const part of parts()) {
    const key = await drive(part, async (step) => {
      const share = step.share(secrets);
      commitShare(share);
      contributions.push({ opening: step.opening, share });
      return share;
    });
    hash.update(key);
  }
  const own = stopOwn();

  const stopCollecting = startCost();
  contributions.forEach((contribution, at) => {
    if (!isLarge) collect(contribution);
    else if (at % n === 0) openForOthers(contribution);
    else check(contribution);
  });
  const collecting = stopCollecting();

  const sum = (bytesOf: (n: number, shape: OpeningShape) => number): number =>
    contributions.reduce((total, { opening }) => total + bytesOf(n, opening.shape), 0);
  const sentAllToAll = sum(bytesAllToAll);
  return { own, collecting, sent: isLarge ? sum(bytesThroughOpener) : sentAllToAll, sentAllToAll };
}

/** Collects everybody's shares: n times the own one, which is a sharing like any other. */
function collect({ opening, share }: Contribution): void {
  const { committee, shape } = opening;
  const { n, quorum } = committee;
  const shares = new Map([[1, share]]);
  for (let index = 2; index <= n; index++) {
    // What this peer is sent, and what it sends.
    const packed = encodePacked({ shape, residues: share });
    const received = decodePacked(packed, shape).residues;
    commitShare(received);
    shares.set(index, received);
  }
  const first = new Map([...shares].slice(0, quorum));
  openRobustly(committee, shape, first);
  for (let index = quorum + 1; index <= n; index++)
    checkLateShare(committee, shape, first, index, shares.get(index)!);
}

/** The same, and answers who checks what was made of them. The peers are sent the value instead. */
function openForOthers(contribution: Contribution): void {
  const { opening, share } = contribution;
  collect(contribution);
  combinationsOf(opening.id, valueDigest(share), opening.shape, [share]);
}

/** Takes the value that somebody else publishes, and checks it. */
function check({ opening, share }: Contribution): void {
  const { id, committee, shape } = opening;
  const packed = encodePacked({ shape, residues: share });
  const value = decodePacked(packed, shape).residues;
  const [own] = combinationsOf(id, valueDigest(value), shape, [share, value]);
  const shares = Array.from({ length: committee.quorum }, (_, at) => [at + 1, own] as const);
  openRobustly(committee, combinationShape(shape), new Map(shares));
}
