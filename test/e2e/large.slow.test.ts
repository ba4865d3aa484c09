import { describe, expect, it } from 'vitest';

import { sampleSlots } from '../../devnet/round-trip.ts';
import { committeeOf } from '../../workers/sharing/committee.ts';
import { Cluster, testSet } from './cluster.ts';

// As many real processes as the larger committees have; t of them are bad in different ways at once.

const conducts = ['shifted', 'garbage', 'equivocating'] as const;

describe.each([10, 13])('%i operators', (n) => {
  it('decrypt while one is dead and all others that may be bad lie', async () => {
    const cluster = await Cluster.start(n);
    try {
      const { t } = committeeOf(n);
      await cluster.operator(1).kill();
      for (let liar = 2; liar <= t; liar++)
        await cluster.restart(liar, { conduct: conducts[liar - 2] });

      const whole = await cluster.roundTrip.run({ slots: sampleSlots(testSet, BigInt(n)) });
      expect(whole.decrypted).toEqual(whole.expected);
      const scalar = await cluster.roundTrip.run({ scalar: 13n });
      expect(scalar.decrypted).toEqual([13n]);
      expect(whole.signers).not.toContain(1);
    } finally {
      await cluster.close();
    }
  });
});
