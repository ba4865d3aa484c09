import { committeeOf } from '../../workers/sharing/committee.ts';
import { Deck, Random } from './random.ts';

/** What happens to the process of an operator. All of it is over at the end of the spell. */
export type ProcessFault =
  /** SIGKILL; it is started again at the end. */
  | { readonly kind: 'kill' }
  /** SIGKILL and started again at once, every so often, however far it has come. */
  | { readonly kind: 'crash-loop'; readonly everyMs: number }
  /** SIGTERM, at which it must stop cleanly; it is started again at the end. */
  | { readonly kind: 'stop' }
  /** SIGSTOP: it takes connections and says nothing. */
  | { readonly kind: 'pause' }
  /** It is a malicious twin (test/twins). */
  | { readonly kind: 'lie'; readonly conduct: string }
  /** SIGKILL, and its folder is gone. What a backup has is put into another one and started there. */
  | { readonly kind: 'restore' };

/** What happens between an operator and all others, in both directions. */
export type NetworkFault =
  /** Packets are dropped. */
  | { readonly kind: 'partition' }
  /** Connections are refused. */
  | { readonly kind: 'refuse' }
  | { readonly kind: 'latency'; readonly latencyMs: number }
  /** Segments come a retransmission later. */
  | { readonly kind: 'loss'; readonly probability: number }
  /** Connections break. */
  | { readonly kind: 'reset'; readonly probability: number }
  /** Connections are taken and not read. */
  | { readonly kind: 'stall' };

/** What happens to an operator's RPC endpoint. */
export type RpcFault =
  | { readonly kind: 'rpc-down' }
  | { readonly kind: 'rpc-slow'; readonly latencyMs: number }
  /** It takes questions and never answers. */
  | { readonly kind: 'rpc-hanging' }
  /** It answers, and its head stands still. */
  | { readonly kind: 'rpc-frozen' };

export type Fault = ProcessFault | NetworkFault | RpcFault;

/** A fault of one operator, from so long after the begin of its spell to the spell's end. */
export interface Affliction {
  readonly operator: number;
  readonly afterMs: number;
  readonly fault: Fault;
}

/** Faults that there are together, for at least so long. */
export interface Spell {
  readonly holdMs: number;
  readonly afflictions: readonly Affliction[];
  /** The chain's clock goes past the deadlines of all that is open, at the end. */
  readonly passDeadlines: boolean;
}

/**
 * `calm`: no faults. `few`: on at most t operators, so that service must go on. `many`: on more, so that
 * requests may wait or expire. `healed`: none, and everything is made up for.
 */
export type PhaseKind = 'calm' | 'few' | 'many' | 'healed';

export interface Phase {
  readonly round: number;
  readonly kind: PhaseKind;
  readonly spells: readonly Spell[];
}

/** All that is decided before anything runs. */
export interface Plan {
  readonly seed: number;
  readonly minutes: number;
  readonly n: number;
  readonly t: number;
  /** The only ones that ever lie: t+1 of them, all at once where more than t are to. */
  readonly liars: readonly number[];
  /** Whose data are restored from a backup. Never a liar. */
  readonly restored: number;
  readonly phases: readonly Phase[];
}

/** Conducts of test/twins that deviate in what this load asks for. */
export const conducts = [
  'shifted',
  'silent',
  'wrong-result',
  'equivocating',
  'garbage',
  'wrong-length',
  'replayed',
] as const;

/** To stop and start an operator again takes about so long: for counting minutes only. */
const RESTART_MS = 9_000;

/** What a run will do: a function of its arguments, and of nothing else. */
export function planOf(options: { seed: number; minutes: number; n: number }): Plan {
  const { seed, minutes, n } = options;
  const { t } = committeeOf(n);
  const random = new Random(seed);
  const [restored, ...others] = random.shuffled(indicesUpTo(n));
  const liars = others.slice(0, t + 1).sort((a, b) => a - b);
  const draw = new Draw(random, n, t, liars, restored);
  const phases: Phase[] = [];
  for (let round = 1, leftMs = 60_000 * minutes; round === 1 || leftMs > 0; round++) {
    const added = draw.round(round);
    phases.push(...added);
    leftMs -= added.flatMap(({ spells }) => spells).reduce((sum, one) => sum + lastsMs(one), 0);
  }
  return { seed, minutes, n, t, liars, restored, phases };
}

/** Operators that a spell afflicts, ascending. */
export function afflictedIn({ afflictions }: Spell): number[] {
  return [...new Set(afflictions.map(({ operator }) => operator))].sort((a, b) => a - b);
}

/** A spell for people. */
export function describeSpell({ afflictions, passDeadlines }: Spell): string {
  const parts = afflictions.map(({ operator, fault }) => {
    const details = Object.values(fault) as (string | number)[];
    return [`operator ${operator}`, ...details].join(' ');
  });
  return [parts.join(', ') || 'no faults', ...(passDeadlines ? ['deadlines pass'] : [])].join('; ');
}

const lastsMs = ({ holdMs, afflictions }: Spell): number =>
  holdMs + (afflictions.some(({ fault }) => isProcessFault(fault)) ? RESTART_MS : 0);

const processKinds: readonly Fault['kind'][] = [
  'kill',
  'crash-loop',
  'stop',
  'pause',
  'lie',
  'restore',
];
const isProcessFault = ({ kind }: Fault): boolean => processKinds.includes(kind);

const indicesUpTo = (n: number): number[] => Array.from({ length: n }, (_, at) => at + 1);

class Draw {
  readonly #random: Random;
  readonly #n: number;
  readonly #t: number;
  readonly #liars: readonly number[];
  readonly #restored: number;
  readonly #operators: Deck<number>;
  readonly #processes: Deck<ProcessFault>;
  readonly #networks: Deck<NetworkFault>;
  readonly #rpcs: Deck<RpcFault>;
  readonly #conducts: Deck<string>;

  constructor(random: Random, n: number, t: number, liars: readonly number[], restored: number) {
    this.#random = random;
    this.#n = n;
    this.#t = t;
    this.#liars = liars;
    this.#restored = restored;
    this.#operators = new Deck(random, indicesUpTo(n));
    this.#processes = new Deck<ProcessFault>(random, [
      { kind: 'kill' },
      { kind: 'crash-loop', everyMs: 2_500 },
      { kind: 'stop' },
      { kind: 'pause' },
    ]);
    this.#networks = new Deck<NetworkFault>(random, [
      { kind: 'partition' },
      { kind: 'refuse' },
      { kind: 'latency', latencyMs: 200 },
      { kind: 'latency', latencyMs: 1_000 },
      { kind: 'loss', probability: 0.1 },
      { kind: 'reset', probability: 0.05 },
      { kind: 'stall' },
    ]);
    this.#rpcs = new Deck<RpcFault>(random, [
      { kind: 'rpc-down' },
      { kind: 'rpc-slow', latencyMs: 1_000 },
      { kind: 'rpc-hanging' },
      { kind: 'rpc-frozen' },
    ]);
    this.#conducts = new Deck<string>(random, conducts);
  }

  round(round: number): Phase[] {
    const few = [this.#mixed(this.#some(1, this.#t)), this.#lying(this.#t)];
    // Once in a run: a backup may be restored once, and what it forgets is to be asked for afterwards.
    few.push(round === 1 ? this.#restoring() : this.#mixed(this.#some(1, this.#t)));
    const many = [
      { ...this.#mixed(this.#some(this.#t + 1, this.#n)), passDeadlines: round % 2 === 1 },
      this.#lying(this.#t + 1),
    ];
    return [
      { round, kind: 'calm', spells: [this.#quiet()] },
      { round, kind: 'few', spells: this.#random.shuffled(few) },
      { round, kind: 'many', spells: this.#random.shuffled(many) },
      { round, kind: 'healed', spells: [this.#quiet()] },
    ];
  }

  #quiet(): Spell {
    return { holdMs: this.#random.integer(2_000, 4_000), afflictions: [], passDeadlines: false };
  }

  #spell(afflictions: Affliction[]): Spell {
    return { holdMs: this.#random.integer(5_000, 10_000), afflictions, passDeadlines: false };
  }

  /** Any faults but lies: of each operator's process, network or endpoint, or of two of these. */
  #mixed(operators: readonly number[]): Spell {
    const afflictions = operators.flatMap((operator) => {
      const faults = this.#random
        .shuffled([this.#processes, this.#networks, this.#rpcs] as const)
        .slice(0, this.#random.integer(1, 2))
        .map((deck) => deck.deal());
      return faults.map((fault) => this.#affliction(operator, fault));
    });
    return this.#spell(afflictions);
  }

  /** So many lie, each in its way, perhaps over a bad network. */
  #lying(count: number): Spell {
    const afflictions = this.#random
      .shuffled(this.#liars)
      .slice(0, count)
      .flatMap((operator) => [
        this.#affliction(operator, { kind: 'lie', conduct: this.#conducts.deal() }),
        ...(this.#random.chance(0.3) ? [this.#affliction(operator, this.#networks.deal())] : []),
      ]);
    return this.#spell(afflictions);
  }

  #restoring(): Spell {
    return this.#spell([this.#affliction(this.#restored, { kind: 'restore' })]);
  }

  #affliction(operator: number, fault: Fault): Affliction {
    return { operator, afterMs: this.#random.integer(0, 2_000), fault };
  }

  #some(from: number, to: number): number[] {
    const chosen = new Set<number>();
    const count = this.#random.integer(from, to);
    while (chosen.size < count) chosen.add(this.#operators.deal());
    return [...chosen];
  }
}
