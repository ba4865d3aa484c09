import { isAddressEqual, type Address } from 'viem';

import { feeVaultAbi, operatorRegistryAbi } from '../../workers/chain/abi.ts';
import { galoisElements } from '../../workers/fhe/galois-elements.ts';
import type { ParameterSet } from '../../workers/ring/parameters.ts';
import { Operation } from '../../workers/sharing/ids.ts';
import { epochOf } from './epochs.ts';
import type { Gateway } from './gateway.ts';
import { depositOf } from './payments.ts';
import { unsettledRequests, type RequestRecord } from './requests.ts';

/** Size of the ceremony that is quoted: others cost in proportion. */
const POWER = 12;

/** What a request costs, and why. */
export interface Quote {
  what: string;
  operation: number;
  /** Size of the request: coefficients of its result. */
  coefficients: number;
  feeWei: bigint;
}

/** Fee of a request of this size, in the fee token's smallest unit. */
export async function quoteOf(
  { client, feeVault }: Gateway,
  operation: Operation,
  coefficients: number,
): Promise<bigint> {
  return client.readContract({
    address: feeVault,
    abi: feeVaultAbi,
    functionName: 'quote',
    args: [operation, BigInt(coefficients)],
  });
}

/**
 * What the requests under a parameter set cost.
 * @param options.handles ciphertexts of a decryption
 * @param options.steps rotations of Galois keys
 */
export async function quotesOf(
  gateway: Gateway,
  set: ParameterSet,
  options: { handles: number; steps: 'default' | readonly number[] },
): Promise<Quote[]> {
  const { degree } = set;
  const { handles } = options;
  const elements = set.batching ? galoisElements(degree, options.steps).length : 0;
  const of = handles === 1 ? 'one ciphertext' : `${handles} ciphertexts`;
  const asked: Omit<Quote, 'feeWei'>[] = [
    { what: 'key', operation: Operation.keyGeneration, coefficients: degree },
    {
      what: 'relinearization key',
      operation: Operation.relinearizationKey,
      coefficients: degree,
    },
    ...(elements === 0
      ? []
      : [
          {
            what: `Galois keys of ${elements} elements`,
            operation: Operation.galoisKey,
            coefficients: elements * degree,
          },
        ]),
    { what: 'switching key', operation: Operation.switchingKey, coefficients: degree },
    {
      what: `ceremony of 2^${POWER} powers of tau`,
      operation: Operation.crs,
      coefficients: 2 ** POWER,
    },
    {
      what: `decryption of one coefficient of ${of}`,
      operation: Operation.publicDecryption,
      coefficients: handles,
    },
    {
      what: `decryption of ${of}`,
      operation: Operation.publicDecryption,
      coefficients: handles * degree,
    },
    {
      what: `decryption of ${of} for a user, packed`,
      operation: Operation.userDecryption,
      coefficients: degree + handles,
    },
    {
      what: `decryption of ${of} for a user`,
      operation: Operation.userDecryption,
      coefficients: 2 * handles * degree,
    },
  ];
  return Promise.all(
    asked.map(async (quote) => ({
      ...quote,
      feeWei: await quoteOf(gateway, quote.operation as Operation, quote.coefficients),
    })),
  );
}

/** What an operator has earned, in the fee token's smallest unit. */
export interface Earnings {
  /** In the owner's balance: earned, and deposited if it has. */
  balanceWei: bigint;
  /** Its part of answered requests that are not settled yet, if nobody else attests. */
  unsettledWei: bigint;
  /** The number of those requests. */
  unsettledRequests: number;
}

/** What an operator has earned; undefined if the account is no operator. */
export async function earningsOf(
  gateway: Gateway,
  operator: Address,
): Promise<Earnings | undefined> {
  const registered = await gateway.client.readContract({
    address: gateway.addresses.operatorRegistry,
    abi: operatorRegistryAbi,
    functionName: 'getOperator',
    args: [operator],
  });
  if (registered.state === 0) return undefined;
  const { signer } = registered;
  const [balanceWei, requests, terms] = await Promise.all([
    depositOf(gateway, operator),
    unsettledRequests(gateway),
    termsOf(gateway),
  ]);
  const parts: bigint[] = [];
  for (const request of requests) {
    const { operators } = await epochOf(gateway, request.epochId);
    const index = operators.findIndex((member) => isAddressEqual(member, operator)) + 1;
    const { eachWei, submitterWei } = partsOf(request, terms);
    const part =
      (request.signers.includes(index) ? eachWei : 0n) +
      (request.account !== undefined && isAddressEqual(request.account, signer)
        ? submitterWei
        : 0n);
    if (part > 0n) parts.push(part);
  }
  return {
    balanceWei,
    unsettledWei: parts.reduce((sum, part) => sum + part, 0n),
    unsettledRequests: parts.length,
  };
}

/** What goes to a submitter, at most half of a fee, in the fee token's smallest unit. */
async function termsOf({ client, feeVault }: Gateway): Promise<{ reimbursementWei: bigint }> {
  const contract = { address: feeVault, abi: feeVaultAbi } as const;
  const [{ reimbursement }, quantumWei] = await Promise.all([
    client.readContract({ ...contract, functionName: 'terms' }),
    client.readContract({ ...contract, functionName: 'quantumWei' }),
  ]);
  return { reimbursementWei: BigInt(reimbursement) * quantumWei };
}

/** How the vault divides a fee: to whoever served alike, the rest to the submitter. */
function partsOf(
  { feeWei, signers }: RequestRecord,
  { reimbursementWei }: { reimbursementWei: bigint },
): { eachWei: bigint; submitterWei: bigint } {
  const half = feeWei / 2n;
  const count = BigInt(signers.length);
  const shared = feeWei - (reimbursementWei < half ? reimbursementWei : half);
  const eachWei = count === 0n ? 0n : shared / count;
  return { eachWei, submitterWei: feeWei - eachWei * count };
}
