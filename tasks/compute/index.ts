import { optionalText, senderTask, type SenderArguments } from '../options.ts';

export interface ComputeArguments extends SenderArguments {
  program: string;
  with: string;
  key: string | undefined;
}

export const computeTask = senderTask(
  ['compute'],
  'Have the operators compute with registered ciphertexts, and register the result as the account’s',
)
  .addOption({
    name: 'program',
    description: 'What to compute, such as "a*b + rotate(c, 1)": see docs/computations.md',
    defaultValue: '',
  })
  .addOption({
    name: 'with',
    description: 'What the names stand for, such as a=HANDLE,b=HANDLE',
    defaultValue: '',
  })
  .addOption(optionalText('key', 'Key of the result; default: that of the ciphertexts'))
  .setAction(() => import('./action.ts'))
  .build();
