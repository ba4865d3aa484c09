import {
  erc20Abi,
  formatUnits,
  parseAbi,
  type Abi,
  type Address,
  type ContractFunctionName,
  type ContractFunctionParameters,
  type TransactionReceipt,
} from 'viem';

import { feeVaultAbi } from '../../workers/chain/abi.ts';
import { isKeyloomError } from '../../workers/errors.ts';
import { ClientError, ClientErrorCode } from './errors.ts';
import type { Gateway } from './gateway.ts';
import { send, walletOf, type Refusal } from './transactions.ts';

/** Chain id of local networks, whose token anybody mints. */
const LOCAL_CHAIN_ID = 31_337n;
const mintAbi = parseAbi(['function mint(address account, uint256 amountWei)']);

/** A token that fees are paid, or bonds are held in. */
export interface Token {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
}

/** The token that fees are paid in. */
export async function feeTokenOf(gateway: Gateway): Promise<Token> {
  const { client, feeVault } = gateway;
  const address = await client.readContract({
    ...{ address: feeVault, abi: feeVaultAbi, functionName: 'token' },
  });
  return tokenAt(gateway, address);
}

/** What the token at an address says of itself. */
export async function tokenAt({ client }: Gateway, address: Address): Promise<Token> {
  const token = { address, abi: erc20Abi } as const;
  const [symbol, decimals] = await Promise.all([
    client.readContract({ ...token, functionName: 'symbol' }),
    client.readContract({ ...token, functionName: 'decimals' }),
  ]);
  return { address, symbol, decimals };
}

/** An amount as people read it. */
export const amountText = ({ decimals, symbol }: Token, amountWei: bigint): string =>
  `${formatUnits(amountWei, decimals)} ${symbol}`;

/** What an account can spend on requests or withdraw: what it deposited, and what it earned. */
export async function depositOf({ client, feeVault }: Gateway, account: Address): Promise<bigint> {
  return client.readContract({
    ...{ address: feeVault, abi: feeVaultAbi, functionName: 'balanceOf', args: [account] },
  });
}

/** What an account has of a token itself. */
export async function walletBalanceOf(
  { client }: Gateway,
  { address }: Token,
  account: Address,
): Promise<bigint> {
  return client.readContract({
    ...{ address, abi: erc20Abi, functionName: 'balanceOf', args: [account] },
  });
}

/**
 * {@link send} for a request that costs a fee. If the account's deposit does not cover it, exactly what
 * is missing is deposited first. What is missing is the contract's word, so nothing is deposited for a
 * request that would be refused for its content.
 *
 * @throws ClientError `FEE_UNAFFORDABLE`, and what {@link send} throws
 */
export async function sendPaid<
  const A extends Abi | readonly unknown[],
  N extends ContractFunctionName<A, 'nonpayable'>,
>(
  gateway: Gateway,
  call: ContractFunctionParameters<A, 'nonpayable', N>,
  explain?: (refusal: Refusal) => ClientError | undefined,
  onProgress?: (text: string) => void,
): Promise<TransactionReceipt> {
  let lacking: { depositWei: bigint; feeWei: bigint } | undefined;
  try {
    return await send<A, N>(gateway, call, (refusal) => {
      const [, depositWei, feeWei] = refusal.args as [unknown, bigint, bigint];
      if (refusal.errorName === 'FeeVaultBalance') lacking = { depositWei, feeWei };
      return explain?.(refusal);
    });
  } catch (error) {
    if (lacking === undefined) throw error;
  }
  const { depositWei, feeWei } = lacking;
  const token = await feeTokenOf(gateway);
  const missingWei = feeWei - depositWei;
  onProgress?.(
    `the fee is ${amountText(token, feeWei)}, the deposit ${amountText(token, depositWei)}: ` +
      `depositing ${amountText(token, missingWei)}`,
  );
  const account = walletOf(gateway).account.address;
  await depositFees(gateway, { token, account, amountWei: missingWei });
  return send<A, N>(gateway, call, explain);
}

/**
 * Deposits for an account, out of the wallet of the gateway's account ({@link provide}).
 * @throws ClientError `FEE_UNAFFORDABLE`
 */
export async function depositFees(
  gateway: Gateway,
  deposit: { token: Token; account: Address; amountWei: bigint },
): Promise<void> {
  const { token, account, amountWei } = deposit;
  const payer = walletOf(gateway).account.address;
  const missingWei = await provide(gateway, token, amountWei);
  if (missingWei > 0n) {
    const walletWei = amountWei - missingWei;
    throw new ClientError(
      ClientErrorCode.FEE_UNAFFORDABLE,
      `${payer} has ${amountText(token, walletWei)}, and ${amountText(token, amountWei)} are to be deposited for fees`,
      {
        advice:
          `Get ${amountText(token, missingWei)} (token ${token.address}) to it, or have somebody ` +
          'else run `kms fees deposit --account` for it.',
        metadata: { token: token.address, walletWei, amountWei, missingWei },
      },
    );
  }
  const args = [gateway.feeVault, amountWei] as const;
  await send(gateway, { address: token.address, abi: erc20Abi, functionName: 'approve', args });
  await send(gateway, {
    address: gateway.feeVault,
    abi: feeVaultAbi,
    functionName: 'deposit',
    args: [account, amountWei],
  });
}

/**
 * Pays out of the vault to the gateway's account.
 * @throws ClientError `FEE_UNAFFORDABLE` if it has less than that there
 */
export async function withdrawFees(gateway: Gateway, amountWei: bigint): Promise<void> {
  const token = await feeTokenOf(gateway);
  await send(
    gateway,
    { address: gateway.feeVault, abi: feeVaultAbi, functionName: 'withdraw', args: [amountWei] },
    ({ errorName, args }) =>
      errorName === 'FeeVaultBalance'
        ? new ClientError(
            ClientErrorCode.FEE_UNAFFORDABLE,
            `there are ${amountText(token, args[1] as bigint)} to withdraw, not ${amountText(token, amountWei)}`,
            { advice: '`kms fees balance` shows what there is.' },
          )
        : undefined,
  );
}

/**
 * Looks whether the gateway's account has an amount in its wallet. On local networks what it lacks is
 * minted.
 * @returns what it still lacks
 */
export async function provide(gateway: Gateway, token: Token, amountWei: bigint): Promise<bigint> {
  const account = walletOf(gateway).account.address;
  const missingWei = amountWei - (await walletBalanceOf(gateway, token, account));
  if (missingWei <= 0n || (await mintLocally(gateway, token, account, missingWei))) return 0n;
  return missingWei;
}

/** Gives an account tokens where anybody may. @returns false where that is not so */
async function mintLocally(
  gateway: Gateway,
  { address }: Token,
  account: Address,
  amountWei: bigint,
): Promise<boolean> {
  if (gateway.chainId !== LOCAL_CHAIN_ID) return false;
  try {
    const args = [account, amountWei] as const;
    await send(gateway, { address, abi: mintAbi, functionName: 'mint', args });
    return true;
  } catch (error) {
    if (isKeyloomError(error, ClientErrorCode.REVERTED)) return false;
    throw error;
  }
}
