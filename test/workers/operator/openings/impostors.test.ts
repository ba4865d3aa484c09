import { bytesToHex, type Hex } from 'viem';
import { describe, expect, it } from 'vitest';

import type { Deployment } from '../../../../workers/chain/client.ts';
import { isAuthentic } from '../../../../workers/chain/authentic.ts';
import type { GatewayEvent } from '../../../../workers/chain/events.ts';
import {
  generatePeerKey,
  peerIdFromBytes,
  peerIdOf,
  peerIdToBytes,
} from '../../../../workers/net/host/index.ts';
import { register as registerShares } from '../../../../workers/net/shares/index.ts';
import { ShareFault } from '../../../../workers/operator/openings/collect.ts';
import { opensWith, runPart, secretsOf } from '../../../../workers/operator/openings/run-part.ts';
import { aborted } from '../../../../workers/operator/waiting.ts';
import type { Step } from '../../../../workers/protocols/opening.ts';
import { relinearizationKeyDigit } from '../../../../workers/protocols/relinearization-key.ts';
import { parameterSet } from '../../../../workers/ring/parameters.ts';
import { SharingErrorCode } from '../../../../workers/sharing/errors.ts';
import { shareLength } from '../../../../workers/sharing/opening.ts';
import { digestOf, type Block } from '../fake-chain.ts';
import { startCommittee, stopped, testSignal } from '../harness.ts';

// One operator's endpoint lies, and t malicious operators know it. Were the others' places taken by
// peers of theirs, the operator would share the second round of a relinearization key for values of
// their choice; the difference to its true share is its share of the key.

const set = parameterSet('insecure-bfv-1024');
const keyId = digestOf('key');

describe('peers that pose as the other operators', () => {
  it('do not get their places after the block of a request', async () => {
    const committee = await startCommittee(4);
    const victim = committee.at(1);
    const { signers, peers } = victim.seat();
    const impostors = await Promise.all(
      [2, 3, 4].map(async () => peerIdToBytes(peerIdOf(await generatePeerKey()))),
    );
    const events = impostors.map((peerId, at) => ({
      eventName: 'OperatorRegistered' as const,
      args: {
        ...{ operator: signers[at + 1], signer: signers[at + 1], peerId: bytesToHex(peerId) },
        ...{ multiaddr: '/ip4/127.0.0.1/tcp/1', endpoint: '', bondWei: 1n },
      },
    })) as unknown as GatewayEvent[];
    const { chainId, addresses } = committee.chain;
    const deployment: Deployment = { chainId, addresses };
    for (const event of events)
      expect(isAuthentic(deployment, victim.chain.now, event)).toBe(false);

    // The operators here believe every event. Places stay with who was there when they were proposed,
    // although a reorganisation has them entered again.
    const invented: Block = {
      ...{ kind: 'block', height: 100n, hash: digestOf('hash'), logsDigest: digestOf('logs') },
      events,
    };
    victim.seats.clear();
    victim.chain.rebuild([...committee.chain.blocks, invented]);
    victim.seats.refresh();
    expect(victim.seat().peers).toEqual(peers);
    expect(peers.map(({ peerId }) => peerId)).not.toContain(peerIdFromBytes(impostors[0]));
  });

  it('cannot have a second round shared for values that nobody has signed', async () => {
    const committee = await startCommittee(4, { mute: [2, 3, 4] });
    const victim = committee.at(1);
    const { context, keyShares } = victim;
    const seat = victim.seat();
    const part = () => relinearizationKeyDigit(seat.session, { keyId, generation: 0, set }, 0);
    // A constant polynomial: all three agree on the value.
    const signature: Hex = `0x${'11'.repeat(65)}`;
    for (const index of [2, 3, 4])
      await registerShares(committee.at(index).context.host, async (_, { openingId }, signal) => {
        const { opening } = first(part().next().value as readonly Step[]);
        if (openingId !== opening.id) return aborted(signal);
        const residues = new BigUint64Array(shareLength(opening.shape)).fill(1n);
        return { signature, shape: opening.shape, residues };
      });

    context.progress.begin(keyId, 'evaluation-keys');
    const steps: Hex[] = [];
    const open = opensWith(context, seat, secretsOf(seat, keyShares, set), keyId);
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, testSignal()]);
    const digit = runPart(
      part(),
      (step, both) => {
        steps.push(step.opening.id);
        return open(step, both);
      },
      signal,
    );
    digit.catch(() => undefined);
    while (context.progress.get(keyId)?.error === undefined && steps.length === 1)
      await new Promise(setImmediate);
    expect(context.progress.get(keyId)?.error).toBe(SharingErrorCode.TOO_FEW_AGREEING);
    expect(steps).toHaveLength(1);
    const faults = context.store.faults.list().map(({ operator, reason }) => [operator, reason]);
    expect(faults.sort()).toEqual([2, 3, 4].map((index) => [index, ShareFault.WRONG_SIGNATURE]));
    stop.abort(stopped());
    await expect(digit).rejects.toMatchObject(stopped());
  });
});

const first = ([step]: readonly Step[]): Step => step;
