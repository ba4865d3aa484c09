/** Ceremonies for tests, and snarkjs beside them. */
import * as snarkjs from 'snarkjs';
import type { MemoryFile } from 'snarkjs';
import { keccak256 } from 'viem';
import type { Curve } from '../../../workers/curve/curve.ts';
import { contribute, type Contribution } from '../../../workers/ceremony/contribute.ts';
import { initialFile } from '../../../workers/ceremony/file.ts';
import type { ContributionPlace } from '../../../workers/ceremony/proof.ts';
import { ContributionSecrets } from '../../../workers/ceremony/secrets.ts';
import { initialState } from '../../../workers/ceremony/state.ts';
import type { Announcement, VerifiedFile } from '../../../workers/ceremony/verify.ts';
import type { Accumulator } from '../../../workers/ceremony/contribute.ts';

export const power = 8;
export const size = 2 ** power;

export const place = (index: number): ContributionPlace => ({
  chainId: 31337n,
  crsManager: '0x00112233445566778899aabbccddeeff00112233',
  ceremonyId: keccak256(Buffer.from('ceremony')),
  index,
});

export const beacon = { hash: Buffer.alloc(32, 7), iterationsExp: 10 };

export const start = (): Accumulator => ({
  file: initialFile(power),
  state: initialState(power),
});

/** Contributions of these members, one on top of the other; 0 is the beacon. */
export async function ceremony(curve: Curve, ...indices: number[]): Promise<Contribution[]> {
  const chain: Contribution[] = [];
  for (const index of indices) {
    const secrets =
      index === 0 ? await ContributionSecrets.fromBeacon(beacon) : ContributionSecrets.draw();
    chain.push(await contribute(curve, chain.at(-1) ?? start(), place(index), secrets));
  }
  return chain;
}

export const announced = (contribution: Contribution, index: number): Announcement => ({
  bytes: contribution.file.bytes,
  state: contribution.state,
  proof: contribution.proof,
  place: place(index),
  ...(index === 0 ? { beacon } : {}),
});

export const verified = ({ state, file }: Accumulator): VerifiedFile => ({
  state,
  records: file.records,
});

/** A file for snarkjs. */
export const memory = (data?: Uint8Array): MemoryFile =>
  data === undefined ? { type: 'mem' } : { type: 'mem', data };

export const verifyWithSnarkjs = (bytes: Uint8Array): Promise<boolean> =>
  snarkjs.powersOfTau.verify(memory(bytes));

/** snarkjs leaves the threads of its curve behind. */
export async function closeSnarkjs(): Promise<void> {
  await (await snarkjs.curves.getCurveFromName('bn128')).terminate();
}
