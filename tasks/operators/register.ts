import { hexOf, integerOf, required } from '../arguments.ts';
import { action } from '../run.ts';
import { checkedAddress } from '../support/gateway.ts';
import { registerOperator } from '../support/registration.ts';
import type { RegisterArguments } from './index.ts';

/** `kms operators register` */
export default action<RegisterArguments>(async (args, { gateway, progress }) => {
  const options = {
    signer: checkedAddress(required(args.signer, '--signer'), '--signer'),
    peerId: hexOf(args.peerId, '--peer-id'),
    multiaddr: required(args.multiaddr, '--multiaddr'),
    endpoint: required(args.endpoint, '--endpoint'),
    ...(args.bondWei === undefined ? {} : { bondWei: integerOf(args.bondWei, '--bond-wei') }),
  };
  progress.say('approving and paying the bond');
  const { operator, bondWei } = await registerOperator(gateway, options);
  return {
    json: { operator, signer: options.signer, bondWei },
    lines: [
      `operator ${operator} is registered with a bond of ${bondWei} wei`,
      `its process signs as ${options.signer}, which needs ETH for gas`,
    ],
  };
});
