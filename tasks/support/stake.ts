import { isAddressEqual, parseEventLogs, type Address, type TransactionReceipt } from 'viem';

import { operatorRegistryAbi as abi } from '../../workers/chain/abi.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { amountText, type Token } from './payments.ts';
import {
  approveBond,
  OPERATOR_STATES,
  operatorAt,
  type RegisteredOperator,
} from './registration.ts';
import { send, walletOf, type Refusal } from './transactions.ts';

/** What an account has in the registry. */
export interface Stake extends RegisteredOperator {
  minimumBondWei: bigint;
  /** What it can collect: rewards for evidence. */
  owedWei: bigint;
}

/** What an account has in the registry; state `None` if it is no operator, which may be owed rewards. */
export async function stakeOf(gateway: Gateway, account: Address): Promise<Stake> {
  const [operator, minimumBondWei, owedWei] = await Promise.all([
    operatorAt(gateway, account),
    gateway.client.readContract({ ...registryOf(gateway), functionName: 'minimumBondWei' }),
    owedTo(gateway, account),
  ]);
  return { ...operator, minimumBondWei, owedWei };
}

/** What an account can collect from the registry. */
export async function owedTo(gateway: Gateway, account: Address): Promise<bigint> {
  return gateway.client.readContract({
    ...registryOf(gateway),
    functionName: 'owedWei',
    args: [account],
  });
}

/**
 * Adds to the bond of the gateway's account. On local networks what its wallet lacks is minted.
 * @returns the bond
 * @throws ClientError `STAKE_STATE` unless it is bonded and was never slashed, `INSUFFICIENT_FUNDS`
 */
export async function topUp(gateway: Gateway, amountWei: bigint): Promise<bigint> {
  const account = walletOf(gateway).account.address;
  const { state, removed } = await operatorAt(gateway, account);
  // Before anything is minted or approved.
  if (removed) throw removedState(account);
  if (state !== 'Bonded') throw wrongState(account, state);
  await approveBond(gateway, amountWei);
  const call = { functionName: 'topUp', args: [amountWei] } as const;
  const receipt = await send(gateway, { ...registryOf(gateway), ...call }, explained);
  return argsOf(parseEventLogs({ abi, eventName: 'BondToppedUp', logs: logsOf(gateway, receipt) }))
    .bondWei;
}

/**
 * Begins the unbonding of the gateway's account, for good.
 * @returns Unix seconds from which it can withdraw; 0 if it is seated
 * @throws ClientError `STAKE_STATE`
 */
export async function beginUnbonding(gateway: Gateway): Promise<number> {
  const call = { ...registryOf(gateway), functionName: 'beginUnbonding', args: [] } as const;
  const receipt = await send(gateway, call, explained);
  return Number(
    argsOf(parseEventLogs({ abi, eventName: 'UnbondingBegun', logs: logsOf(gateway, receipt) }))
      .withdrawableAt,
  );
}

/**
 * Pays out what is left of the bond.
 * @returns how much that was
 * @throws ClientError `STAKE_STATE`, `STAKE_LOCKED`
 */
export async function withdrawBond(gateway: Gateway): Promise<bigint> {
  const call = { ...registryOf(gateway), functionName: 'withdraw', args: [] } as const;
  const receipt = await send(gateway, call, explained);
  return argsOf(parseEventLogs({ abi, eventName: 'BondWithdrawn', logs: logsOf(gateway, receipt) }))
    .amountWei;
}

/** Pays out what the gateway's account is owed. @returns how much that was; 0 if it is nothing */
export async function collectOwed(gateway: Gateway): Promise<bigint> {
  if ((await owedTo(gateway, walletOf(gateway).account.address)) === 0n) return 0n;
  const call = { ...registryOf(gateway), functionName: 'collect', args: [] } as const;
  const receipt = await send(gateway, call, explained);
  return argsOf(parseEventLogs({ abi, eventName: 'OwedCollected', logs: logsOf(gateway, receipt) }))
    .amountWei;
}

/** An amount in tokens and in the token's smallest unit. */
export const exactly = (token: Token, amountWei: bigint): string =>
  `${amountText(token, amountWei)} (${amountWei} wei)`;

const registryOf = ({ addresses }: Gateway) =>
  ({ address: addresses.operatorRegistry, abi }) as const;

function explained({ errorName, args }: Refusal): ClientError | undefined {
  const [account, value] = args;
  switch (errorName) {
    case 'OperatorRegistryUnknownOperator':
      return wrongState(String(account), 'None');
    case 'OperatorRegistryWrongState':
      return wrongState(String(account), OPERATOR_STATES[Number(value)] ?? 'None');
    case 'OperatorRegistryRemoved':
      return removedState(String(account));
    case 'OperatorRegistryStillSeated':
      return new ClientError(
        ClientErrorCode.STAKE_LOCKED,
        `${String(account)} sits in ${String(value)} live epochs: its unbonding counts from when the last one ends`,
        {
          advice: '`kms stake show` has the date from then on.',
          metadata: { seats: Number(value) },
        },
      );
    case 'OperatorRegistryStillUnbonding': {
      const withdrawableAt = Number(value);
      return new ClientError(
        ClientErrorCode.STAKE_LOCKED,
        `the bond of ${String(account)} can be withdrawn from ${new Date(withdrawableAt * 1000).toISOString()} on`,
        { advice: 'Run the same command again then.', metadata: { withdrawableAt } },
      );
    }
    default:
      return undefined;
  }
}

function wrongState(account: string, state: string): ClientError {
  return new ClientError(
    ClientErrorCode.STAKE_STATE,
    state === 'None'
      ? `${account} is no operator`
      : `the operator ${account} is in state ${state}, which this is not for`,
    {
      advice: 'Choose the operator’s account with --from; `kms stake show` has its state.',
      metadata: { account, state },
    },
  );
}

const removedState = (account: string): ClientError =>
  new ClientError(
    ClientErrorCode.STAKE_STATE,
    `the operator ${account} has been slashed: its bond cannot grow again`,
    { advice: '`kms stake exit` lets it leave with what is left.', metadata: { account } },
  );

const logsOf = ({ addresses }: Gateway, { logs }: TransactionReceipt) =>
  logs.filter(({ address }) => isAddressEqual(address, addresses.operatorRegistry));

/** The arguments of an event that the transaction must have left. */
function argsOf<Args>([event]: readonly { args: Args }[]): Args {
  if (event !== undefined) return event.args;
  throw new ClientError(ClientErrorCode.RESULT_MISMATCH, 'the call left no event');
}
