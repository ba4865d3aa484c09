import { encodeFunctionData, keccak256, type Abi, type Address, type Hex } from 'viem';

import { DevnetError, DevnetErrorCode } from '../../devnet/errors.ts';
import { waitUntil } from '../../devnet/wait.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import { walletOf } from '../../tasks/support/transactions.ts';

const GAS = 10_000_000n;
const ATTEMPTS = 10;

/** Sends calls of one account one after the other without waiting for any: the nonces are counted here. */
export class Sending {
  readonly #gateway: Gateway;
  readonly #sent: Hex[] = [];
  readonly #feeWei: bigint;
  #nonce: number;
  #last: Promise<void> = Promise.resolve();

  private constructor(gateway: Gateway, nonce: number, feeWei: bigint) {
    this.#gateway = gateway;
    this.#nonce = nonce;
    this.#feeWei = feeWei;
  }

  static async open(gateway: Gateway): Promise<Sending> {
    const { address } = walletOf(gateway).account;
    const nonce = await gateway.client.getTransactionCount({ address });
    // More than the base fee of a local chain will ever be; what is above it is not paid.
    return new Sending(gateway, nonce, 10n * (await gateway.client.getGasPrice()));
  }

  /** A chain that makes a block for each transaction takes no nonce before its turn. */
  send(to: Address, abi: Abi, functionName: string, args: readonly unknown[]): Promise<void> {
    const sent = this.#last.then(() => this.#send(to, abi, functionName, args));
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  async #send(
    to: Address,
    abi: Abi,
    functionName: string,
    args: readonly unknown[],
  ): Promise<void> {
    const { chain, account } = walletOf(this.#gateway);
    const serializedTransaction = await account.signTransaction!({
      ...{ to, data: encodeFunctionData({ abi, functionName, args: [...args] }) },
      ...{ chainId: chain.id, type: 'eip1559', nonce: this.#nonce++, gas: GAS },
      ...{ maxFeePerGas: this.#feeWei, maxPriorityFeePerGas: 0n },
    });
    const hash = keccak256(serializedTransaction);
    const { client } = this.#gateway;
    for (let attempt = 1; ; attempt++) {
      try {
        await client.sendRawTransaction({ serializedTransaction });
        break;
      } catch (error) {
        // A busy chain closes connections, with the transaction or before it.
        if (await client.getTransaction({ hash }).catch(() => undefined)) break;
        if (attempt === ATTEMPTS) throw error;
      }
    }
    this.#sent.push(hash);
  }

  /** @throws DevnetError DEMO_FAILED if one of the calls was reverted */
  async settle(): Promise<void> {
    for (const hash of this.#sent.splice(0)) {
      const receipt = await waitUntil('a transaction is mined', () =>
        this.#gateway.client.getTransactionReceipt({ hash }).catch(() => undefined),
      );
      if (receipt.status !== 'success')
        throw new DevnetError(DevnetErrorCode.DEMO_FAILED, `Transaction ${hash} was reverted.`);
    }
  }
}
