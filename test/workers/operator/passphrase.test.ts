import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { OperatorErrorCode } from '../../../workers/operator/errors.ts';
import { readPassphrase, type Terminal } from '../../../workers/operator/passphrase.ts';
import { StoreErrorCode } from '../../../workers/store/errors.ts';

const folders: string[] = [];

afterEach(() => {
  vi.unstubAllEnvs();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function fileWith(content: string, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyloom-passphrase-'));
  folders.push(folder);
  const path = join(folder, 'passphrase');
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

/** A terminal at which these are typed, one after the other, each once it is asked for. */
function terminal(...typed: string[]) {
  const modes: boolean[] = [];
  const written: string[] = [];
  const events = new EventEmitter();
  const input = Object.assign(events, {
    isTTY: true,
    setRawMode: (raw: boolean) => {
      modes.push(raw);
      written.push(raw ? '<' : '>');
    },
    resume: () => queueMicrotask(() => events.emit('data', Buffer.from(typed.shift() ?? '\u0004'))),
    pause: () => undefined,
  }) as unknown as Terminal['input'];
  return { input, output: { write: (text: string) => written.push(text) }, modes, written };
}

const nowhere = { ...terminal(), input: { isTTY: false } } as unknown as Terminal;
const missing = { code: OperatorErrorCode.PASSPHRASE_MISSING };

describe('a passphrase', () => {
  it('is read from a file, or else from the environment, which forgets it', async () => {
    vi.stubEnv('KEYLOOM_PASSPHRASE', 'of the environment');
    expect(await readPassphrase(fileWith('of a file\n'))).toBe('of a file');
    expect(process.env['KEYLOOM_PASSPHRASE']).toBeUndefined();
    vi.stubEnv('KEYLOOM_PASSPHRASE', 'of the environment');
    expect(await readPassphrase(undefined)).toBe('of the environment');
    expect(process.env['KEYLOOM_PASSPHRASE']).toBeUndefined();
  });

  it('is refused from a file that others can read, but not from a group of the service', async () => {
    expect(await readPassphrase(fileWith('secret', 0o440))).toBe('secret');
    for (const mode of [0o644, 0o620, 0o602])
      await expect(readPassphrase(fileWith('secret', mode))).rejects.toMatchObject({
        code: StoreErrorCode.READABLE_BY_OTHERS,
      });
  });

  it('is missing where there is no file, none in it, and no terminal', async () => {
    await expect(readPassphrase(fileWith('\n'))).rejects.toMatchObject(missing);
    await expect(readPassphrase(join(tmpdir(), 'no such file'))).rejects.toMatchObject(missing);
    vi.stubEnv('KEYLOOM_PASSPHRASE', '');
    await expect(readPassphrase(undefined, { terminal: nowhere })).rejects.toMatchObject(missing);
  });

  it('is typed at a terminal, and nothing of it is shown', async () => {
    const at = terminal('secr\u007f\u007fcret x\u0008\u0008\r');
    expect(await readPassphrase(undefined, { terminal: at })).toBe('secret');
    expect(at.modes).toEqual([true, false]);
    expect(at.written.join('')).toBe('<Passphrase: >\n');
  });

  it('is typed twice when it is new', async () => {
    const options = { isNew: true, terminal: terminal('one\r', 'one\r') };
    expect(await readPassphrase(undefined, options)).toBe('one');
    const differing = { isNew: true, terminal: terminal('one\r', 'two\r') };
    await expect(readPassphrase(undefined, differing)).rejects.toMatchObject(missing);
  });

  it.each(['\u0003', 'half\u0004', '\r'])('is missing if none is typed (%j)', async (typed) => {
    const at = terminal(typed);
    await expect(readPassphrase(undefined, { terminal: at })).rejects.toMatchObject(missing);
    expect(at.modes).toEqual([true, false]);
  });

  it('is no argument, and one that is given as such is not repeated', () => {
    const program = join(import.meta.dirname, '../../../workers/operator/main.ts');
    const args = [program, 'start', '--config', 'x', '--passphrase=typed by mistake'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain(OperatorErrorCode.USAGE);
    expect(stdout + stderr).not.toContain('by mistake');
  });
});
