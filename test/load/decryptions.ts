import { pad, size, sliceHex, toHex, type Hex } from 'viem';

import { DevnetError, DevnetErrorCode } from '../../devnet/errors.ts';
import { waitUntil } from '../../devnet/wait.ts';
import type { Epoch } from '../../tasks/support/epochs.ts';
import type { Gateway } from '../../tasks/support/gateway.ts';
import { walletOf } from '../../tasks/support/transactions.ts';
import { decryptionGatewayAbi } from '../../workers/chain/abi.ts';
import { publicDecryptionRequestId } from '../../workers/chain/ids.ts';
import type { Scalar } from './scalars.ts';
import { Sending } from './sending.ts';

/** A request that was answered rightly. */
export interface Answered {
  readonly id: Hex;
  /** From sending it to seeing its result in a block. */
  readonly ms: number;
}

const RESULT_BYTES = 8;
const POLL_MS = 25;
const DEADLINE_MS = 300_000;

/**
 * Has lists of numbers decrypted, each list in a request of its own and so many requests at once.
 *
 * @throws DevnetError DEMO_FAILED for a result that is not what was encrypted; DEADLINE_PASSED
 */
export async function decryptScalars(
  gateway: Gateway,
  { epochId }: Epoch,
  lists: readonly (readonly Scalar[])[],
  atOnce: number,
): Promise<Answered[]> {
  const { client, addresses } = gateway;
  const address = addresses.decryptionGateway;
  const requester = walletOf(gateway).account.address;
  const sending = await Sending.open(gateway);
  const open = new Map<Hex, { list: readonly Scalar[]; sentAt: number }>();
  const answered: Answered[] = [];
  let read = await client.getBlockNumber();
  let next = 0;

  const ask = async (): Promise<void> => {
    const list = lists[next++];
    const salt = pad(toHex(Number(read) * 2 ** 20 + next));
    const handles = list.map(({ handle }) => handle);
    const request = { epochId, handles, positions: [0], requester, salt };
    const id = publicDecryptionRequestId(gateway, request);
    open.set(id, { list, sentAt: performance.now() });
    const args = [handles, [0], salt];
    await sending.send(address, decryptionGatewayAbi, 'requestPublicDecryption', args);
  };
  const collect = async (): Promise<void> => {
    const head = await client.getBlockNumber();
    if (head === read) return;
    const events = await client.getContractEvents({
      ...({ address, abi: decryptionGatewayAbi, strict: true } as const),
      ...({ eventName: 'PublicDecryptionResponded', fromBlock: read + 1n, toBlock: head } as const),
    });
    read = head;
    for (const { args } of events) {
      const asked = open.get(args.requestId);
      if (asked === undefined) continue;
      requireValues(asked.list, args.result);
      const id = args.requestId;
      answered.push({ id, ms: performance.now() - asked.sentAt });
      open.delete(id);
    }
  };

  while (answered.length < lists.length) {
    const before = answered.length;
    await waitUntil(
      'a request is answered',
      async () => {
        while (open.size < atOnce && next < lists.length) await ask();
        await collect();
        return answered.length > before ? true : undefined;
      },
      { everyMs: POLL_MS, deadlineMs: DEADLINE_MS },
    );
  }
  await sending.settle();
  return answered;
}

function requireValues(list: readonly Scalar[], result: Hex): void {
  const isRight =
    size(result) === RESULT_BYTES * list.length &&
    list.every(({ value }, at) => {
      const found = sliceHex(result, RESULT_BYTES * at, RESULT_BYTES * (at + 1));
      return BigInt(found) === value;
    });
  if (isRight) return;
  throw new DevnetError(DevnetErrorCode.DEMO_FAILED, 'A result is not what was encrypted.');
}
