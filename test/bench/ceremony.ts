import { availableParallelism } from 'node:os';
import * as snarkjs from 'snarkjs';
import type { MemoryFile } from 'snarkjs';
import { keccak256, stringToHex } from 'viem';
import { contribute } from '../../workers/ceremony/contribute.ts';
import { initialFile } from '../../workers/ceremony/file.ts';
import { ContributionSecrets } from '../../workers/ceremony/secrets.ts';
import { initialState } from '../../workers/ceremony/state.ts';
import { verifyContribution } from '../../workers/ceremony/verify.ts';
import { Curve } from '../../workers/curve/curve.ts';
import { startCost, type Cost } from './cost.ts';
import type { Measurement } from './report.ts';

const place = {
  chainId: 31337n,
  crsManager: '0x00112233445566778899aabbccddeeff00112233',
  ceremonyId: keccak256(stringToHex('bench')),
  index: 1,
} as const;

/**
 * A first contribution of 2^power powers and its verification, against snarkjs doing the same to the
 * same file in the same process. Ours makes and checks the state, its Merkle roots and the proof of
 * knowledge besides, and the subgroup; its coefficients have 128 bits, those of snarkjs 32.
 */
export async function benchCeremony(power = 14): Promise<Measurement[]> {
  const curve = await Curve.start();
  try {
    const initial = { file: initialFile(power), state: initialState(power) };
    const secrets = ContributionSecrets.draw();
    const [made, contributing] = await timed(() => contribute(curve, initial, place, secrets));
    const { file, state, proof } = made;
    const before = { state: initial.state, records: initial.file.records };
    const announced = { bytes: file.bytes, state, proof, place };
    const [, verifying] = await timed(() => verifyContribution(curve, announced, before));

    const theirs: MemoryFile = { type: 'mem' };
    const from: MemoryFile = { type: 'mem', data: initial.file.bytes };
    const [, theirContributing] = await timed(() =>
      snarkjs.powersOfTau.contribute(from, theirs, 'bench', 'bench'),
    );
    const [, theirVerifying] = await timed(() =>
      snarkjs.powersOfTau.verify({ type: 'mem', data: file.bytes }),
    );
    return [
      ...lines('contribution', contributing, theirContributing),
      ...lines('verification', verifying, theirVerifying),
    ];
  } finally {
    await curve.close();
    await (await snarkjs.curves.getCurveFromName('bn128')).terminate();
  }

  function lines(name: string, ours: Cost, theirs: Cost): Measurement[] {
    const line = (what: string, value: number, baseline: number): Measurement => ({
      name: `ceremony, 2^${power} powers: ${name}, ${what}`,
      unit: 's',
      value: value / 1e3,
      baseline: baseline / 1e3,
      ratio: value / baseline,
    });
    return [
      line(`${availableParallelism()} threads`, ours.wallMs, theirs.wallMs),
      line('CPU', ours.cpuMs, theirs.cpuMs),
    ];
  }
}

async function timed<T>(run: () => Promise<T>): Promise<[T, Cost]> {
  const stop = startCost();
  const result = await run();
  return [result, stop()];
}
