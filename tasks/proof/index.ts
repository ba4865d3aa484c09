import { localTask, optionalText } from '../options.ts';

/** What a proof is bound to. All of it is given: no chain is asked. */
export interface StatementArguments {
  publicKeyFile: string;
  set: string;
  chainId: string;
  registry: string;
  owner: string;
  crs: string | undefined;
  crsDigest: string | undefined;
  json: boolean;
}

export interface ProveArguments extends StatementArguments {
  slots: string | undefined;
  scalar: string | undefined;
  out: string;
  proofOut: string;
}

export interface VerifyArguments extends StatementArguments {
  in: string;
  proof: string;
}

const statementTask = (name: string, description: string) =>
  localTask([name], description)
    .addOption({
      name: 'publicKeyFile',
      description: 'File with SEAL’s PublicKey object, from `kms key download --public`',
      defaultValue: '',
    })
    .addOption({
      name: 'set',
      description: 'Parameter set of the key',
      defaultValue: 'bfv-8192-b20',
    })
    .addOption({ name: 'chainId', description: 'Chain of the deployment', defaultValue: '' })
    .addOption({
      name: 'registry',
      description: 'CiphertextRegistry of the deployment, from `kms status`',
      defaultValue: '',
    })
    .addOption({
      name: 'owner',
      description: 'Account that is to own the ciphertext: the proof holds for no other',
      defaultValue: '',
    })
    .addOption(optionalText('crs', 'For a kzg proof: .ptau file, from `kms crs export`'))
    .addOption(optionalText('crsDigest', 'SHA-256 of that file, from `kms crs status`'));

export const proofTasks = [
  statementTask('prove', 'Encrypt, and prove that it is an encryption: offline, into two files')
    .addOption(optionalText('slots', 'Values of the slots, separated by commas; the rest is 0'))
    .addOption(optionalText('scalar', 'One value, in coefficient 0'))
    .addOption({ name: 'out', description: 'File for the ciphertext', defaultValue: '' })
    .addOption({ name: 'proofOut', description: 'File for the proof', defaultValue: '' })
    .setAction(() => import('./prove.ts'))
    .build(),
  statementTask('verify', 'Check a proof as operators do: offline')
    .addOption({ name: 'in', description: 'File with the ciphertext', defaultValue: '' })
    .addOption({ name: 'proof', description: 'File with the proof', defaultValue: '' })
    .setAction(() => import('./verify.ts'))
    .build(),
];
