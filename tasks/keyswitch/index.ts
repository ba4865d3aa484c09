import {
  forceFlag,
  optionalText,
  readerTask,
  timeoutOption,
  type CommonArguments,
} from '../options.ts';

/** `--from` and `--to` are keys here, so the account has an option of another name. */
export interface KeyswitchArguments extends CommonArguments {
  from: string;
  to: string;
  account: string | undefined;
  allow: boolean;
  timeout: number;
  force: boolean;
}

export const keyswitchTask = readerTask(
  ['keyswitch'],
  'Have the key made that switches ciphertexts from one key to another; both owners must agree',
)
  .addOption({ name: 'from', description: 'Key that ciphertexts are under', defaultValue: '' })
  .addOption({
    name: 'to',
    description: 'Key of yours that they are switched to; same epoch and parameter set',
    defaultValue: '',
  })
  .addFlag({
    name: 'allow',
    description: 'As the owner of --from: allow this first, for good',
  })
  .addOption(
    optionalText('account', 'Account of the network to act as: an address or a number; default 0'),
  )
  .addOption(timeoutOption)
  .addFlag(forceFlag)
  .setAction(() => import('./action.ts'))
  .build();
