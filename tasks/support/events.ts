import {
  HttpRequestError,
  type Abi,
  type Address,
  type ContractEventName,
  type GetContractEventsReturnType,
} from 'viem';

import type { Gateway } from './gateway.ts';

const SMALLEST_RANGE = 500n;

/**
 * All logs of one event since the deployment, optionally with given indexed arguments. Where the RPC
 * endpoint refuses a range as too large, it is asked for the halves.
 */
export async function eventsOf<const A extends Abi, N extends ContractEventName<A>>(
  gateway: Gateway,
  query: { address: Address; abi: A; eventName: N; args?: Record<string, unknown> },
): Promise<GetContractEventsReturnType<A, N, true>> {
  const ask = async (fromBlock: bigint, toBlock: bigint): Promise<unknown[]> => {
    try {
      return await gateway.client.getContractEvents({
        ...(query as { address: Address; abi: Abi; eventName: string }),
        fromBlock,
        toBlock,
        strict: true,
      });
    } catch (cause) {
      if (cause instanceof HttpRequestError || toBlock - fromBlock < SMALLEST_RANGE) throw cause;
      const middle = (fromBlock + toBlock) / 2n;
      return [...(await ask(fromBlock, middle)), ...(await ask(middle + 1n, toBlock))];
    }
  };
  const head = await gateway.client.getBlockNumber();
  return (await ask(gateway.deploymentBlock, head)) as GetContractEventsReturnType<A, N, true>;
}
