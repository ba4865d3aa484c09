import { findFlaw } from '../../workers/ceremony/flaw.ts';
import { initialFile, parsePowersFile, type PowersFile } from '../../workers/ceremony/file.ts';
import { contribute } from '../../workers/ceremony/contribute.ts';
import { prove } from '../../workers/ceremony/proof.ts';
import { ContributionSecrets, perSecret } from '../../workers/ceremony/secrets.ts';
import { plainPoints } from '../../workers/ceremony/points.ts';
import { initialState, stateOf } from '../../workers/ceremony/state.ts';
import { Curve } from '../../workers/curve/curve.ts';
import { fromEvm, pointBytes } from '../../workers/curve/points.ts';
import { answerHonestly, type Answering } from '../../workers/operator/context.ts';
import type {
  Base,
  ContributionTask,
  MadeContribution,
} from '../../workers/operator/ceremony/computer.ts';
import { outsideSubgroup } from '../workers/ceremony/reference.ts';

/** What a contributor makes of its honest contribution. */
type Spoil = (honest: MadeContribution, base: Base) => MadeContribution;

/** A contribution whose file was changed, with the state that fits to the file. */
function changed({ bytes, ...made }: MadeContribution, change: (file: PowersFile) => void) {
  const file = parsePowersFile(Uint8Array.from(bytes));
  change(file);
  return { ...made, bytes: file.bytes, state: stateOf(file, plainPoints(file)) };
}

const { g1, g2 } = pointBytes;

/** Somewhere in the middle of a section. */
const middle = (section: Uint8Array, size: number): number =>
  size * Math.floor(section.length / size / 2);

function fileOf({ state, bytes }: Base): PowersFile {
  return bytes === undefined ? initialFile(state.power) : parsePowersFile(bytes);
}

const spoils: Readonly<Record<string, Spoil>> = {
  /** One power is its neighbour. */
  'wrong-power': (made) =>
    changed(made, ({ alphaTauG1 }) => {
      const at = middle(alphaTauG1, g1);
      alphaTauG1.copyWithin(at, at - g1, at);
    }),
  /** Everything times zero: all points are infinity, but for the generators. */
  'tau-zero': (made) =>
    changed(made, ({ tauG1, tauG2 }) => {
      tauG1.fill(0, g1);
      tauG2.fill(0, g2);
    }),
  /** Everything times one. */
  'tau-one': (made, base) => {
    const file = fileOf(base);
    return { ...made, bytes: file.bytes, state: stateOf(file, plainPoints(file)) };
  },
  /** A point with another y. */
  'off-curve': (made) =>
    changed(made, ({ betaTauG1 }) => {
      betaTauG1[middle(betaTauG1, g1) + g1 / 2] ^= 1;
    }),
  /** A point of the twist that is in no subgroup of order r. */
  'off-subgroup': (made) =>
    changed(made, ({ tauG2 }) => tauG2.set(fromEvm('g2', outsideSubgroup()), middle(tauG2, g2))),
  /** A digest whose bytes nobody gets. */
  withheld: (made) => ({ ...made, bytes: new Uint8Array(1) }),
};

/** A contribution with a wrong power that the contract takes: it is proven like a right one. */
async function wrongButProven({ base, place }: ContributionTask): Promise<MadeContribution> {
  const curve = await Curve.start();
  try {
    const secrets = ContributionSecrets.draw();
    // The ones that are drawn are wiped once they have been used.
    const kept = {
      factors: perSecret((name) => secrets.factors[name].slice()),
      nonces: perSecret((name) => secrets.nonces[name].slice()),
    };
    const { state: previous } = base;
    const honest = await contribute(curve, { file: fileOf(base), state: previous }, place, secrets);
    const { file, ...made } = honest;
    const wrong = spoils['wrong-power']({ ...made, bytes: file.bytes }, base);
    const { state } = wrong;
    const proof = await prove(curve, place, previous, state, kept as ContributionSecrets);
    return { ...wrong, proof };
  } finally {
    await curve.close();
  }
}

async function hasFlaw({ state, bytes }: Base): Promise<boolean> {
  if (bytes === undefined) return false;
  const curve = await Curve.start();
  try {
    return (await findFlaw(curve, bytes, state)) !== undefined;
  } finally {
    await curve.close();
  }
}

/** What a contributor does in its slot, by name of the twin. */
const contributions: Readonly<Record<string, Answering['contribution']>> = {
  ...Object.fromEntries(
    Object.entries(spoils).map(([name, spoil]) => [
      name,
      async (_, task, honest) => spoil(await honest(task), task.base),
    ]),
  ),
  /** As everybody, where others do not see at once that it builds on what is wrong; but see `colluders`. */
  colluding: async (_, task, honest) => ((await hasFlaw(task.base)) ? undefined : honest(task)),
  'colluding-liar': (_, task) => wrongButProven(task),
  /** Nothing at all. */
  absent: async () => undefined,
  /** What another has contributed, once there is something. */
  'replayed-contribution': async (_, { base }) => {
    const { state, bytes } = base;
    const proof = { challenge: 1n, tau: 1n, alpha: 1n, beta: 1n };
    return bytes && { state, bytes, proof };
  },
  /** A contribution to the generators, where there is more already. */
  'wrong-state': async (_, task, honest) => {
    const { state, bytes } = task.base;
    if (bytes === undefined) return undefined;
    return honest({ ...task, base: { state: initialState(state.power), bytes: undefined } });
  },
};

/** Twins that sign whatever is contributed, without a look at it. */
export const colluders: readonly string[] = ['colluding', 'colluding-liar'];

/** Twins that deviate in ceremonies only, by the name of their process. */
export const contributingTwins: Readonly<Record<string, Answering>> = Object.fromEntries(
  Object.entries(contributions).map(([name, contribution]) => [
    name,
    { ...answerHonestly, contribution },
  ]),
);
