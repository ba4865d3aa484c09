import { zeroAddress, type Address, type Hex } from 'viem';

import { connectGateway, type GatewayClient } from '../../chain/client.ts';
import { currentPrice, isAboveCap, type SpendingCaps } from '../../chain/fees.ts';
import { rpcError } from '../../chain/rpc.ts';
import { compareBinding } from '../../store/binding.ts';
import type { OperatorConfig } from '../config/config.ts';
import { transactionCost } from '../health/chain.ts';
import { ok, problem, type Finding } from './checks.ts';

/** Seconds by which the latest blocks of two endpoints may be apart. */
const MOST_BEHIND_SECONDS = 30n;

/** `OperatorState` of the registry. */
const BONDED = 1;

/** An operator as the registry has it. */
export type Registered = Awaited<
  ReturnType<GatewayClient['contracts']['operatorRegistry']['read']['getOperator']>
>;

export function connect({ rpcUrls, gateway }: OperatorConfig): Promise<GatewayClient> {
  return connectGateway({ rpcUrls, gateway });
}

/** What endpoints of one chain have in common, and how far one has come. */
interface EndpointView {
  readonly chainId: bigint;
  readonly genesis: Hex | null;
  readonly code: Hex | undefined;
  readonly timestamp: bigint;
}

/** Whether each endpoint answers, and all of them serve one chain with one gateway, up to now. */
export async function endpoints({ rpcUrls, gateway }: OperatorConfig): Promise<Finding> {
  const seen = await Promise.all(rpcUrls.map((url) => viewAt(url, gateway)));
  const places = rpcUrls.map((url, index) => `${index} (${new URL(url).host})`);
  const first = seen.find((view) => typeof view !== 'string');
  const heads = seen.flatMap((view) => (typeof view === 'string' ? [] : [view.timestamp]));
  const newest = heads.reduce((a, b) => (a > b ? a : b), 0n);
  const wrong = seen.flatMap((view, index) => {
    const what =
      typeof view === 'string'
        ? view
        : view.chainId !== first!.chainId || view.genesis !== first!.genesis
          ? 'serves another chain than others do'
          : view.code !== first!.code
            ? 'has another gateway than others do'
            : newest - view.timestamp > MOST_BEHIND_SECONDS
              ? `its latest block is ${newest - view.timestamp} s older than another's`
              : undefined;
    return what === undefined ? [] : [`endpoint ${places[index]}: ${what}`];
  });
  if (wrong.length > 0)
    return problem(
      wrong.join('; '),
      'check these endpoints, and take out those that cannot be mended',
    );
  return ok(places.map((place) => `endpoint ${place}`).join(', '));
}

/** What an endpoint shows, or the code of why it does not. */
async function viewAt(url: string, gateway: Address): Promise<EndpointView | string> {
  try {
    const { client, chainId } = await connectGateway({ rpcUrls: [url], gateway });
    const [genesis, code, latest] = await Promise.all([
      client.getBlock({ blockNumber: 0n }),
      client.getCode({ address: gateway }),
      client.getBlock({ blockTag: 'latest' }),
    ]);
    return { chainId, genesis: genesis.hash, code, timestamp: latest.timestamp };
  } catch (error) {
    return rpcError(error).code;
  }
}

export function binding(
  { dataDir, gateway }: OperatorConfig,
  { chainId }: GatewayClient,
  signer: Address,
): Finding {
  switch (compareBinding(dataDir, { chainId, gateway, signer })) {
    case 'unbound':
      return ok('the data directory is new');
    case 'same':
      return ok('the data directory is that of this chain, gateway and signer');
    case 'other':
      return problem(
        'the data directory belongs to another chain, gateway or signer',
        'set "dataDir", "gateway", "rpcUrls" and "identity" as they belong together',
      );
  }
}

export async function clock(
  { health }: OperatorConfig,
  { client }: GatewayClient,
  nowMs: number,
): Promise<Finding> {
  const { timestamp } = await client.getBlock({ blockTag: 'latest' });
  const ahead = Math.round(nowMs / 1_000 - Number(timestamp));
  if (ahead < -health.clockSeconds)
    return problem(`the clock is ${-ahead} s behind the chain`, 'set up time synchronisation');
  // The latest block may be older than that, if the chain makes few.
  if (ahead > health.clockSeconds + health.stalledSeconds)
    return problem(
      `the latest block is ${ahead} s old by this clock`,
      'set up time synchronisation; if the clock is right, the endpoint is stuck',
    );
  return ok(`the latest block is ${ahead} s old by this clock`);
}

/** The operator of a signer; undefined if there is none. */
export async function registeredOperator(
  { contracts }: GatewayClient,
  signer: Address,
): Promise<{ operator: Address; entry: Registered } | undefined> {
  const { read } = contracts.operatorRegistry;
  const operator = await read.operatorOf([signer]);
  if (operator === zeroAddress) return undefined;
  return { operator, entry: await read.getOperator([operator]) };
}

export async function bond(
  { contracts }: GatewayClient,
  { state, removed, bondWei, benchedUntil }: Registered,
  nowMs: number,
): Promise<Finding> {
  const least = await contracts.operatorRegistry.read.minimumBondWei();
  if (removed)
    return problem('it was slashed and gets no seat again', 'see docs/accountability.md');
  if (state !== BONDED)
    return problem('it is leaving: it gets no seat any more', 'register another operator');
  if (bondWei < least)
    return problem(`the bond of ${bondWei} is below ${least}`, 'the owner tops it up');
  if (Number(benchedUntil) * 1_000 > nowMs)
    return problem(
      `it gets no seat before ${new Date(Number(benchedUntil) * 1_000).toISOString()}`,
      'it has missed too many requests: see that it is up and connected',
    );
  return ok(`${bondWei} of at least ${least}`);
}

export async function balance(
  { client }: GatewayClient,
  signer: Address,
  caps: SpendingCaps,
): Promise<Finding> {
  const [balanceWei, price] = await Promise.all([
    client.getBalance({ address: signer }),
    currentPrice(client),
  ]);
  if (isAboveCap(price, caps))
    return problem(
      `a unit of gas costs ${price.baseFeePerGas} wei, and transactions offer ${caps.maxFeePerGas} at most`,
      'wait until it has fallen, or raise transactions.maxFeePerGasWei',
    );
  const costWei = transactionCost(price, caps);
  if (balanceWei >= costWei) return ok(`${balanceWei} wei; a transaction costs up to ${costWei}`);
  return problem(
    `${balanceWei} wei do not pay for a transaction (${costWei} wei)`,
    `send ETH to ${signer}`,
  );
}
