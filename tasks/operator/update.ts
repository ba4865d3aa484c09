import { required } from '../arguments.ts';
import { action } from '../run.ts';
import { readRegistration } from '../support/registration-file.ts';
import { updateEndpoints } from '../support/registration.ts';
import type { UpdateArguments } from './index.ts';

/** `kms operator update` */
export default action<UpdateArguments>(async (args, { gateway }) => {
  const registration = await readRegistration(gateway, required(args.in, '--in'));
  const operator = await updateEndpoints(gateway, registration);
  const { multiaddr, endpoint } = registration;
  return {
    json: { operator, multiaddr, endpoint },
    lines: [`operator ${operator} is announced at ${multiaddr} and ${endpoint}`],
  };
});
