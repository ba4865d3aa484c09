import { join } from 'node:path';
import { erc20Abi, formatEther, formatUnits, zeroAddress } from 'viem';

import { currentPrice } from '../../chain/fees.ts';
import { capsOf } from '../config/config.ts';
import { transactionCost } from '../health/chain.ts';
import type { Initialised } from './init.ts';
import { registrationName } from './registration.ts';
import { configurationName } from './settings.ts';

/** Transactions that a signer should be able to pay for at the start. */
const TRANSACTIONS = 100n;

/** What an operator's folder has, and what is left to do, with what it costs. @throws errors of viem */
export async function nextSteps({
  folder,
  registration,
  config: settings,
  kept,
  gateway,
}: Initialised): Promise<string> {
  const { signer } = registration;
  const { client } = gateway;
  const registry = gateway.contracts.operatorRegistry.read;
  const [bondWei, token, balanceWei, price, operator] = await Promise.all([
    registry.minimumBondWei(),
    registry.bondToken(),
    client.getBalance({ address: signer }),
    currentPrice(client),
    registry.operatorOf([signer]),
  ]);
  const costWei = transactionCost(price, capsOf(settings));
  const bond = { address: token, abi: erc20Abi };
  const [symbol, decimals] = await Promise.all([
    client.readContract({ ...bond, functionName: 'symbol' }),
    client.readContract({ ...bond, functionName: 'decimals' }),
  ]);
  const neededWei = TRANSACTIONS * costWei;
  const config = join(folder, configurationName);
  const note = (name: string): string => (kept.includes(name) ? ' (was there)' : '');
  const file = join(folder, registrationName);
  const steps = [
    `Keep the passphrase where this machine is not: without it no backup is worth anything.`,
    balanceWei >= neededWei
      ? `Nothing to pay: the signer has ${formatEther(balanceWei)} ETH for gas.`
      : `Send ${formatEther(neededWei - balanceWei)} ETH for gas to the signer, ${signer}:
     that is ${TRANSACTIONS} transactions of up to ${formatEther(costWei)} ETH.`,
    operator === zeroAddress
      ? `Give ${file} to the owner, who runs
       npx hardhat kms operator register --in ${registrationName} --network NETWORK
     from an account with ${formatUnits(bondWei, decimals)} ${symbol} for the bond (token ${token}) and ETH for gas.`
      : `Nothing to register: it is operator ${operator}. If its addresses have changed, the owner runs
       npx hardhat kms operator update --in ${registrationName} --network NETWORK`,
    `keyloom-operator doctor --config ${config}`,
    `keyloom-operator start --config ${config}`,
  ];
  return `${folder}
  ${configurationName}      configuration${note(configurationName)}
  identity.json      signer ${signer}, peer ${registration.peerId}${note('identity.json')}
  data               shares and journals${note('data')}
  ${registrationName}  public; for the owner${note(registrationName)}

What comes next:
${steps.map((step, at) => `  ${at + 1}. ${step}`).join('\n')}
`;
}
