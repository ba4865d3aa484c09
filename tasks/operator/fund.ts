import { formatEther } from 'viem';

import { amountOf, required } from '../arguments.ts';
import { action } from '../run.ts';
import { readRegistration } from '../support/registration-file.ts';
import { sendEther } from '../support/transactions.ts';
import type { FundArguments } from './index.ts';

const ETHER_DECIMALS = 18;

/** `kms operator fund` */
export default action<FundArguments>(async (args, { gateway }) => {
  const { signer } = await readRegistration(gateway, required(args.in, '--in'));
  const amountWei = amountOf(required(args.amount, '--amount'), '--amount', ETHER_DECIMALS);
  await sendEther(gateway, signer, amountWei);
  const balanceWei = await gateway.client.getBalance({ address: signer });
  return {
    json: { signer, amountWei, balanceWei },
    lines: [`the signer ${signer} has ${formatEther(balanceWei)} ETH for gas`],
  };
});
