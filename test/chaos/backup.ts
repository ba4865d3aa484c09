import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';

import { PASSPHRASE, type OperatorProcess } from '../../devnet/operator-process.ts';
import { operatorProgram } from '../e2e/operator-program.ts';

/** A backup of one operator, made while it runs with the operator program's own `backup`. */
export class Backup {
  readonly #file: string;
  readonly #identity: string;
  readonly #target: string;

  private constructor(folder: string) {
    this.#file = join(folder, 'backup.age');
    this.#identity = join(folder, 'age.txt');
    this.#target = join(folder, 'another-machine');
  }

  /** @param folder where the backup and the age identity for it are kept */
  static async create(operator: OperatorProcess, folder: string): Promise<Backup> {
    const backup = new Backup(folder);
    const identity = await generateIdentity();
    writeFileSync(backup.#identity, `${identity}\n`, { mode: 0o600 });
    const to = await identityToRecipient(identity);
    await succeed([
      ...['backup', 'create', '--config', operator.configFile],
      ...['--to', to, '--out', backup.#file],
    ]);
    return backup;
  }

  /** Puts it into another folder, which it returns. Once only. */
  async restore(): Promise<string> {
    const from = ['--identity', this.#identity, '--in', this.#file];
    await succeed(['backup', 'restore', ...from, '--into', this.#target]);
    return this.#target;
  }
}

async function succeed(args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await operatorProgram(args, PASSPHRASE);
  if (exitCode !== 0) throw new Error(`keyloom-operator ${args.join(' ')} failed: ${stderr}`);
}
