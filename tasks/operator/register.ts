import { amountOf, required } from '../arguments.ts';
import { action } from '../run.ts';
import { readRegistration } from '../support/registration-file.ts';
import { bondTokenOf, registerOperator } from '../support/registration.ts';
import { exactly } from '../support/stake.ts';
import type { RegisterArguments } from './index.ts';

/** `kms operator register` */
export default action<RegisterArguments>(async (args, { gateway, progress }) => {
  const registration = await readRegistration(gateway, required(args.in, '--in'));
  const token = await bondTokenOf(gateway);
  const bondWei =
    args.bond === undefined ? undefined : amountOf(args.bond, '--bond', token.decimals);
  const registered = await registerOperator(
    gateway,
    { ...registration, ...(bondWei === undefined ? {} : { bondWei }) },
    (text) => progress.say(text),
  );
  const { signer, endpoint } = registration;
  return {
    json: { ...registered, signer },
    lines: [
      `operator ${registered.operator} is registered with a bond of ${exactly(token, registered.bondWei)}`,
      `its process signs as ${signer}, which needs ETH for gas, and is announced at ${endpoint}`,
      'kms operator list shows whether it answers; it serves once governance gives it a seat (kms epoch propose)',
    ],
  };
});
