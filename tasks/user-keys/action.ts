import { createUserKeys } from '../../sdk/index.ts';
import { required, setOf } from '../arguments.ts';
import { localAction } from '../run.ts';
import { writeUserKeys } from '../support/user-keys.ts';
import type { UserKeysArguments } from './index.ts';

/** `kms user-keys` */
export default localAction<UserKeysArguments>(async (args) => {
  const set = setOf(args.set);
  const folder = required(args.out, '--out');
  const keys = createUserKeys(set);
  const { publicFile, secretFile } = await writeUserKeys(folder, keys);
  return {
    json: { parameterSet: set.name, digest: keys.digest, publicFile, secretFile },
    lines: [
      `public key: ${publicFile}, SHA-256 ${keys.digest}`,
      `secret key: ${secretFile}; whoever has it reads what is decrypted for you`,
    ],
  };
});
