import { describe, expect, it } from 'vitest';

import { computeAndDecrypt, computingKeys } from '../../devnet/computing.ts';
import { runForUser } from '../../devnet/for-user.ts';
import { sampleSlots } from '../../devnet/round-trip.ts';
import { committeeOf } from '../../workers/sharing/committee.ts';
import { audit } from '../../tasks/support/audit/audit.ts';
import { parameterSet } from '../../workers/ring/parameters.ts';
import { Cluster } from './cluster.ts';

const set = parameterSet('insecure-bfv-1024-b17');

// As many real processes as the larger committees have; t of them are bad in different ways at once.

const conducts = ['shifted', 'garbage', 'equivocating'] as const;

describe.each([10, 13])('%i operators', (n) => {
  it('make keys and decrypt while one is dead and all others that may be bad lie', async () => {
    const cluster = await Cluster.start(n, { set });
    try {
      const { t } = committeeOf(n);
      await cluster.operator(1).kill();
      for (let liar = 2; liar <= t; liar++)
        await cluster.restart(liar, { conduct: conducts[liar - 2] });

      const whole = await cluster.roundTrip.run({ slots: sampleSlots(set, BigInt(n)) });
      expect(whole.decrypted).toEqual(whole.expected);
      const scalar = await cluster.roundTrip.run({ scalar: 13n });
      expect(scalar.decrypted).toEqual([13n]);
      expect(whole.signers).not.toContain(1);

      const { committee } = cluster.epoch;
      const keys = await computingKeys(cluster.governor, set, cluster.keyId, [1]);
      const computed = await computeAndDecrypt(cluster.roundTrip, committee);
      expect(computed.operation).toBe('sum');
      expect(computed.decrypted).toEqual(computed.expected);
      const answer = await runForUser(cluster.roundTrip, [1n, 2n, 3n]);
      expect(answer.decrypted).toEqual([1n, 2n, 3n]);
      for (const requestId of [...keys.requests, answer.requestId])
        expect((await audit(cluster.governor, requestId)).failure).toBeUndefined();
    } finally {
      await cluster.close();
    }
  });
});
