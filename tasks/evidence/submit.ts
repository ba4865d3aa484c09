import { idOf } from '../arguments.ts';
import { action } from '../run.ts';
import { submitOffence } from '../support/evidence/submit.ts';
import { checkedAddress } from '../support/gateway.ts';
import { bondTokenOf } from '../support/registration.ts';
import { exactly, owedTo } from '../support/stake.ts';
import { walletOf } from '../support/transactions.ts';
import type { SubmitArguments } from './index.ts';

/** `kms evidence submit` */
export default action<SubmitArguments>(async (args, { gateway, progress }) => {
  const offenceId = idOf(args.id, 'the id');
  const beneficiary =
    args.beneficiary === undefined
      ? walletOf(gateway).account.address
      : checkedAddress(args.beneficiary, '--beneficiary');
  progress.say('asking the operators');
  const conviction = await submitOffence(gateway, offenceId, beneficiary, (text) =>
    progress.say(text),
  );
  const [token, owedWei] = await Promise.all([bondTokenOf(gateway), owedTo(gateway, beneficiary)]);
  const { operator, kind, bondWei, slashedWei, rewardWei } = conviction;
  const bondBeforeWei = bondWei + slashedWei;
  return {
    json: { ...conviction, token: token.address, bondBeforeWei, owedWei },
    lines: [
      `operator ${operator} is convicted (${kind ?? 'unknown offence'}) and removed`,
      `bond before ${exactly(token, bondBeforeWei)}, after ${exactly(token, bondWei)}`,
      `reward ${exactly(token, rewardWei)}: ${beneficiary} is owed ${exactly(token, owedWei)} in all`,
      '`kms stake collect` pays it out',
    ],
  };
});
