import { keccak256, zeroAddress, type Hex } from 'viem';
import { beforeEach, describe, expect, it } from 'vitest';

import { FeeKeeper } from '../../../../workers/operator/fees/keeper.ts';
import { rankAt } from '../../../../workers/operator/fees/turns.ts';
import { digestOf } from '../fake-chain.ts';
import { signerAccount, testSignal } from '../harness.ts';
import { ATTESTATION, FeeWorld, RESPONSE, START } from './world.ts';

const EVERY = 60n;
/** Of operators 1 to 3: number 4 was left out. */
const THREE = 0b0111;

let world: FeeWorld;
let epochId: Hex;
beforeEach(() => {
  world = new FeeWorld();
  epochId = world.epoch('one');
});

const resultOf = (name: string): Hex => digestOf(`result of ${name}`);

/** An answered request that the named operator's signature is not on. */
function answered(name: string, options: { epoch?: Hex; isKey?: boolean; signers?: number } = {}) {
  const { isKey = false, epoch = epochId, signers = THREE } = options;
  const id = world.request(name, epoch, isKey ? 'keyManager' : 'decryptionGateway');
  world.answer(id, keccak256(resultOf(name)), resultOf(name), signers, isKey);
  return id;
}

async function operator(index: number) {
  const { context, lines, view } = await world.operator(index);
  const keeper = new FeeKeeper(context, view, Number(EVERY) * 1_000);
  return {
    ...{ context, lines, view },
    sign: (id: Hex, name: string) => context.store.results.commit(id, keccak256(resultOf(name))),
    attest: () => keeper.attest(testSignal()),
    round: () => keeper.settleAndExpire(testSignal()),
    /** The same operator after a restart. */
    restarted: () => new FeeKeeper(context, view, Number(EVERY) * 1_000),
  };
}

const works = () => world.sent.map(({ by, work, ids }) => [by, work, ids] as const);

describe('attesting', () => {
  it('waits for others, then says once that this operator has these results', async () => {
    const four = await operator(4);
    const first = answered('first');
    four.sign(first, 'first');
    await four.attest();
    expect(world.sent).toEqual([]);
    world.now += 300n;
    const second = answered('second');
    four.sign(second, 'second');
    // Two rounds before the first can be attested to no more.
    world.now = START + ATTESTATION - 2n * EVERY - 1n;
    await four.attest();
    expect(world.sent).toEqual([]);
    world.now += 1n;
    await four.attest();
    expect(works()).toEqual([[4, 'attest', [first, second]]]);
    expect(world.record(first).signers).toBe(0b1111);
    await four.attest();
    expect(world.sent).toHaveLength(1);
  });

  it('is not repeated while it is not confirmed', async () => {
    const four = await operator(4);
    four.sign(answered('request'), 'request');
    world.now += ATTESTATION - 30n;
    world.confirms = false;
    await four.attest();
    await four.attest();
    expect(world.sent).toHaveLength(1);
  });

  it('is only to what this operator has computed and signed itself', async () => {
    const four = await operator(4);
    answered('not computed');
    const other = answered('computed otherwise');
    four.sign(other, 'something else');
    const signed = answered('signed', { signers: 0b1110 });
    four.sign(signed, 'signed');
    const pending = world.request('pending', epochId);
    four.sign(pending, 'pending');
    const strangers = [5, 6, 7, 8].map((index) => signerAccount(index).address);
    const foreign = answered('of others', { epoch: world.epoch('two', strangers) });
    four.sign(foreign, 'of others');
    world.now += ATTESTATION - 30n;
    await four.attest();
    expect(world.sent).toEqual([]);
  });

  it('comes in time or not at all', async () => {
    const four = await operator(4);
    four.sign(answered('request'), 'request');
    world.now += ATTESTATION - 5n;
    await four.attest();
    world.now += 100n;
    await four.attest();
    expect(world.sent).toEqual([]);
  });

  it('is in batches of one contract and one epoch, of at most 128', async () => {
    const four = await operator(4);
    const other = world.epoch(
      'two',
      [4, 3, 2, 1].map((index) => signerAccount(index).address),
    );
    const ids = Array.from({ length: 130 }, (_, at) => answered(`request ${at}`));
    const key = answered('key', { isKey: true });
    // Index 1 there: its bit is another.
    const elsewhere = answered('elsewhere', { epoch: other, signers: 0b1110 });
    ids.forEach((id, at) => four.sign(id, `request ${at}`));
    four.sign(key, 'key');
    four.sign(elsewhere, 'elsewhere');
    // So many that they need not wait.
    await four.attest();
    expect(works()).toEqual([
      [4, 'attest', ids.slice(0, 128)],
      [4, 'attest', ids.slice(128)],
      [4, 'attest', [key]],
      [4, 'attest', [elsewhere]],
    ]);
    expect(world.sent.map(({ contract }) => contract)).toEqual([
      ...[world.chain.addresses.decryptionGateway, world.chain.addresses.decryptionGateway],
      ...[world.chain.addresses.keyManager, world.chain.addresses.decryptionGateway],
    ]);
  });

  it('follows from the store after a restart', async () => {
    const four = await operator(4);
    const id = answered('request');
    four.sign(id, 'request');
    world.now += ATTESTATION - 30n;
    await four.restarted().attest(testSignal());
    expect(works()).toEqual([[4, 'attest', [id]]]);
  });
});

/** Operators in the order in which they look after what ends at a time. */
const order = (end: bigint, of: Hex = epochId): number[] =>
  [1, 2, 3, 4].toSorted((a, b) => rankAt(of, 4, a, end, EVERY) - rankAt(of, 4, b, end, EVERY));

describe('settling', () => {
  it('is for one operator at first, and for the next when that one is silent', async () => {
    const operators = await Promise.all([1, 2, 3, 4].map(operator));
    const ids = [answered('first'), answered('second')];
    const end = START + ATTESTATION;
    const [, second, third] = order(end);
    world.now = end;
    for (const one of operators) await one.round();
    expect(world.sent).toEqual([]);
    // The first does not look.
    world.now = end + EVERY;
    await operators[second - 1].round();
    expect(world.sent).toEqual([]);
    world.now = end + EVERY + 1n;
    await operators[third - 1].round();
    expect(world.sent).toEqual([]);
    await operators[second - 1].round();
    expect(works()).toEqual([[second, 'settle', ids]]);
    world.now += 10n * EVERY;
    for (const one of operators) await one.round();
    expect(world.sent).toHaveLength(1);
  });

  it('leaves out what others have settled, although that is not confirmed yet', async () => {
    const [first, second] = [answered('first'), answered('second')];
    const end = START + ATTESTATION;
    const [turn] = order(end);
    const one = await operator(turn);
    world.now = end + 1n;
    world.record(first).account = zeroAddress;
    await one.round();
    expect(works()).toEqual([[turn, 'settle', [second]]]);
  });

  it('of a batch that somebody else settles a part of meanwhile settles the rest', async () => {
    const [first, second] = [answered('first'), answered('second')];
    const end = START + ATTESTATION;
    const [turn] = order(end);
    const one = await operator(turn);
    world.now = end + 1n;
    world.beforeSending = () => {
      world.record(second).account = zeroAddress;
    };
    await one.round();
    expect(works()).toEqual([[turn, 'settle', [first, second]]]);
    expect(world.record(first).account).toBe(zeroAddress);
    await one.round();
    expect(world.sent).toHaveLength(1);
  });

  it('of a batch of which others settle all meanwhile is left', async () => {
    const ids = [answered('first'), answered('second')];
    const end = START + ATTESTATION;
    const [turn] = order(end);
    const one = await operator(turn);
    world.now = end + 1n;
    world.beforeSending = () => {
      for (const id of ids) world.record(id).account = zeroAddress;
    };
    await one.round();
    expect(one.lines.map(({ level }) => level)).toEqual(['warn']);
    await one.round();
    expect(world.sent).toEqual([]);
  });

  it('waits for an endpoint that is behind the confirmed chain', async () => {
    const id = answered('request');
    const one = await operator(order(START + ATTESTATION)[0]);
    one.sign(id, 'request');
    world.now += ATTESTATION + 1n;
    const record = { ...world.record(id) };
    Object.assign(world.record(id), { signers: 0 });
    await one.attest();
    await one.round();
    expect([world.sent, one.lines]).toEqual([[], []]);
    Object.assign(world.record(id), record);
    await one.round();
    expect(world.sent).toHaveLength(1);
  });

  it('goes on in a retired epoch, and is nobody’s who was not in it', async () => {
    const id = answered('request');
    world.chain.emit({ eventName: 'EpochRetired', args: { epochId } });
    const end = START + ATTESTATION;
    world.now = end + 100n * EVERY;
    await (await operator(5)).round();
    expect(world.sent).toEqual([]);
    await (await operator(2)).round();
    expect(works()).toEqual([[2, 'settle', [id]]]);
  });
});

describe('expiring', () => {
  it('goes in smaller batches where many cost too much gas', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e'].map((name) => world.request(name, epochId));
    world.gasFor = 2;
    world.now += RESPONSE + 100n * EVERY;
    await (await operator(1)).round();
    expect(world.sent.map((sent) => sent.ids)).toEqual([
      [ids[0], ids[1]],
      [ids[2]],
      [ids[3], ids[4]],
    ]);
  });

  it('refunds what was not answered in time, in turns', async () => {
    const ids = [world.request('first', epochId), world.request('second', epochId)];
    const key = world.request('key', epochId, 'keyManager');
    const end = START + RESPONSE;
    const [turn, next] = order(end);
    const [one, two] = [await operator(turn), await operator(next)];
    world.now = end;
    await one.round();
    world.now = end + 1n;
    await two.round();
    expect(world.sent).toEqual([]);
    await one.round();
    expect(works()).toEqual([
      [turn, 'expire', ids],
      [turn, 'expire', [key]],
    ]);
    expect(one.view.now.requests.get(ids[0])?.state).toBe('expired');
    await one.round();
    expect(world.sent).toHaveLength(2);
  });

  it('is not for what was answered in the last moment, although that is not confirmed yet', async () => {
    const id = world.request('request', epochId);
    Object.assign(world.record(id), { signers: THREE });
    world.now += RESPONSE + 100n * EVERY;
    const one = await operator(1);
    await one.round();
    expect([world.sent, one.lines]).toEqual([[], []]);
  });
});

it('an endpoint that fails is the caller’s business', async () => {
  const four = await operator(4);
  four.sign(answered('request'), 'request');
  world.now += ATTESTATION - 30n;
  world.beforeSending = () => {
    throw new TypeError('the endpoint is gone');
  };
  await expect(four.attest()).rejects.toThrow(TypeError);
});

describe('turns', () => {
  it('are an order of all, another one for other epochs and times', () => {
    const orders = Array.from({ length: 40 }, (_, at) => order(START + BigInt(at) * EVERY));
    for (const one of orders) expect(one.toSorted()).toEqual([1, 2, 3, 4]);
    for (const index of [1, 2, 3, 4]) expect(orders.some(([first]) => first === index)).toBe(true);
    // All that ends in one window has one order.
    const start = START - (START % EVERY);
    expect(order(start + EVERY - 1n)).toEqual(order(start));
    const elsewhere = Array.from({ length: 40 }, (_, at) =>
      order(START + BigInt(at) * EVERY, digestOf('epoch two')),
    );
    expect(elsewhere).not.toEqual(orders);
  });
});
