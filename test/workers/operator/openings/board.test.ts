import { describe, expect, it } from 'vitest';

import { Board } from '../../../../workers/operator/openings/board.ts';

const never = new AbortController().signal;

describe('a board', () => {
  it('gives an entry that is there at once', async () => {
    const board = new Board<number>(2);
    board.publish('a', 1);
    expect(board.get('a')).toBe(1);
    expect(await board.wait('a', never)).toBe(1);
  });

  it('gives everybody who waits the entry that comes', async () => {
    const board = new Board<number>(2);
    const waiting = [board.wait('a', never), board.wait('a', never), board.wait('b', never)];
    board.publish('b', 2);
    board.publish('a', 1);
    expect(await Promise.all(waiting)).toEqual([1, 1, 2]);
  });

  it('lets an asker go that is no longer there, and only that one', async () => {
    const board = new Board<number>(2);
    const gone = new AbortController();
    const left = board.wait('a', gone.signal);
    const stays = board.wait('a', never);
    gone.abort('gone');
    await expect(left).rejects.toBe('gone');
    board.publish('a', 1);
    expect(await stays).toBe(1);
    await expect(board.wait('b', gone.signal)).rejects.toBe('gone');
  });

  it('drops the oldest entry, where publishing again makes one young', () => {
    const board = new Board<number>(2);
    board.publish('a', 1);
    board.publish('b', 2);
    board.publish('a', 3);
    board.publish('c', 4);
    expect(['a', 'b', 'c'].map((key) => board.get(key))).toEqual([3, undefined, 4]);
  });

  it('keeps what is held until it is released, however much comes', () => {
    const board = new Board<number>(1);
    board.publish('a', 1, 'first');
    board.publish('b', 2, 'second');
    board.publish('c', 3);
    expect(['a', 'b', 'c'].map((key) => board.get(key))).toEqual([1, 2, undefined]);
    board.release('first');
    expect(['a', 'b'].map((key) => board.get(key))).toEqual([undefined, 2]);
    board.release('second');
    expect(board.get('b')).toBe(2);
    board.publish('d', 4);
    expect(['b', 'd'].map((key) => board.get(key))).toEqual([undefined, 4]);
  });

  it('keeps askers waiting when it is cleared', async () => {
    const board = new Board<number>(2);
    board.publish('a', 1);
    board.clear();
    expect(board.get('a')).toBeUndefined();
    const waiting = board.wait('a', never);
    board.clear();
    board.publish('a', 2);
    expect(await waiting).toBe(2);
  });
});
