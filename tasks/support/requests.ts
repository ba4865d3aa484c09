import { isAddressEqual, zeroAddress, type Address, type Hex } from 'viem';

import {
  crsManagerAbi,
  decryptionGatewayAbi,
  evaluationKeyManagerAbi,
  keyManagerAbi,
} from '../../workers/chain/abi.ts';
import { indicesOf, type RequestContract } from '../../workers/chain/state.ts';
import { eventsOf } from './events.ts';
import type { Gateway } from './gateway.ts';

/** States of requests by their number on chain. */
export const REQUEST_STATES = ['None', 'Pending', 'Answered', 'Expired'] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

/** What the contracts keep of every request, whatever it is for. */
export interface RequestRecord {
  state: RequestState;
  /** Number of the operation. */
  operation: number;
  /** Unix seconds: until when it can be answered; once it is, until when operators can attest. */
  deadline: number;
  epochId: Hex;
  feeWei: bigint;
  /** Who paid the fee, once it is answered who submitted that; undefined once the fee is settled or refunded. */
  account: Address | undefined;
  /** Committee indices of the operators that signed the answer or attested to it. */
  signers: number[];
}

/** A request of any kind; state `None` if there is none. */
export async function recordOf(
  { client, addresses }: Gateway,
  contract: RequestContract,
  id: Hex,
): Promise<RequestRecord> {
  const { state, deadline, account, signers, ...rest } = await client.readContract({
    address: addresses[contract],
    // All contracts that take requests have this function.
    abi: decryptionGatewayAbi,
    functionName: 'request',
    args: [id],
  });
  return {
    state: REQUEST_STATES[state] ?? 'None',
    ...{ operation: rest.operation, epochId: rest.epochId, feeWei: rest.feeWei },
    deadline: Number(deadline),
    account: isAddressEqual(account, zeroAddress) ? undefined : account,
    signers: indicesOf(BigInt(signers)),
  };
}

/** All requests that are answered and whose fees are not paid out yet. */
export async function unsettledRequests(
  gateway: Gateway,
): Promise<(RequestRecord & { contract: RequestContract; id: Hex })[]> {
  const keys = { address: gateway.addresses.keyManager, abi: keyManagerAbi } as const;
  const { evaluationKeyManager, crsManager, decryptionGateway } = gateway.addresses;
  const evaluationKeys = { address: evaluationKeyManager, abi: evaluationKeyManagerAbi } as const;
  const ceremonies = { address: crsManager, abi: crsManagerAbi } as const;
  const decryptions = { address: decryptionGateway, abi: decryptionGatewayAbi } as const;
  const [publicKeys, recorded, powers, publicly, forUsers, ...settled] = await Promise.all([
    eventsOf(gateway, { ...keys, eventName: 'PublicKeyRecorded' }),
    eventsOf(gateway, { ...evaluationKeys, eventName: 'EvaluationKeysRecorded' }),
    eventsOf(gateway, { ...ceremonies, eventName: 'CrsRecorded' }),
    eventsOf(gateway, { ...decryptions, eventName: 'PublicDecryptionResponded' }),
    eventsOf(gateway, { ...decryptions, eventName: 'UserDecryptionResponded' }),
    eventsOf(gateway, { ...keys, eventName: 'RequestsSettled' }),
    eventsOf(gateway, { ...evaluationKeys, eventName: 'RequestsSettled' }),
    eventsOf(gateway, { ...ceremonies, eventName: 'RequestsSettled' }),
    eventsOf(gateway, { ...decryptions, eventName: 'RequestsSettled' }),
  ]);
  const done = new Set(settled.flat().flatMap(({ args }) => args.requestIds));
  const answered = [
    ...publicKeys.map(({ args }) => ['keyManager', args.keyId] as const),
    ...recorded.map(({ args }) => ['evaluationKeyManager', args.requestId] as const),
    ...powers.map(({ args }) => ['crsManager', args.ceremonyId] as const),
    ...[...publicly, ...forUsers].map(({ args }) => ['decryptionGateway', args.requestId] as const),
  ];
  return Promise.all(
    answered
      .filter(([, id]) => !done.has(id))
      .map(async ([contract, id]) => ({
        ...(await recordOf(gateway, contract, id)),
        ...{ contract, id },
      })),
  );
}
