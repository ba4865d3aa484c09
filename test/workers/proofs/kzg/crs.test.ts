import { hash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { contribute, type Contribution } from '../../../../workers/ceremony/contribute.ts';
import { CeremonyErrorCode } from '../../../../workers/ceremony/errors.ts';
import { initialFile } from '../../../../workers/ceremony/file.ts';
import { ContributionSecrets } from '../../../../workers/ceremony/secrets.ts';
import { decodeState, encodeState, initialState } from '../../../../workers/ceremony/state.ts';
import { verifyContribution } from '../../../../workers/ceremony/verify.ts';
import { ProofErrorCode } from '../../../../workers/proofs/errors.ts';
import { crsDigestOf, crsKeyOf, openCrs } from '../../../../workers/proofs/kzg/crs.ts';
import { kzgParameters } from '../../../../workers/proofs/kzg/parameters.ts';
import { proveKzg } from '../../../../workers/proofs/kzg/prove.ts';
import { verifyKzg } from '../../../../workers/proofs/kzg/verify.ts';
import { place } from '../../ceremony/ceremony.ts';
import { withCode } from '../../kernels/support.ts';
import { tinySet } from '../support.ts';
import { curve, kzgFixture } from './support.ts';

const { power } = kzgParameters(tinySet);
/** Two contributions, one on top of the other. */
let chain: Contribution[];

beforeAll(async () => {
  chain = await ceremonyOf(power);
});

async function ceremonyOf(exponent: number): Promise<Contribution[]> {
  const start = { file: initialFile(exponent), state: initialState(exponent) };
  const first = await contribute(curve, start, place(1), ContributionSecrets.draw());
  return [first, await contribute(curve, first, place(2), ContributionSecrets.draw())];
}

describe('powers of tau from a ceremony', () => {
  it('serve prover and verifier, who know them from file and chain', async () => {
    const [first, { file, state, proof: update }] = chain;
    await verifyContribution(
      curve,
      { bytes: file.bytes, state, proof: update, place: place(2) },
      { state: first.state, records: first.file.records },
    );
    const { statement, witness } = await kzgFixture(tinySet);
    const onChain = decodeState(encodeState(state));
    const crs = openCrs(file.bytes, crsKeyOf(onChain));
    const proof = await proveKzg(statement, witness, crs, { curve });
    await verifyKzg(statement, crsKeyOf(onChain), proof);
    expect(crsDigestOf(tinySet, proof)).toBe(state.digest);
    // The state before is another one, and its file, too.
    await expect(verifyKzg(statement, crsKeyOf(first.state), proof)).rejects.toThrow(
      withCode(ProofErrorCode.CRS_MISMATCH),
    );
    const renamed = { ...crsKeyOf(first.state), digest: state.digest };
    await expect(verifyKzg(statement, renamed, proof)).rejects.toThrow(
      withCode(ProofErrorCode.OPENING_MISMATCH),
    );
  });

  it('are refused if the file is another one', () => {
    const [first, second] = chain;
    const key = crsKeyOf(second.state);
    const mismatch = withCode(ProofErrorCode.CRS_MISMATCH);
    expect(() => openCrs(first.file.bytes, key)).toThrow(mismatch);
    const changed = second.file.bytes.slice();
    changed[changed.length - 1] ^= 1;
    expect(() => openCrs(changed, key)).toThrow(mismatch);
    expect(() => openCrs(changed.slice(0, 100), key)).toThrow(mismatch);
    const other = crsKeyOf({ ...second.state, digest: digestOf(new Uint8Array(100)) });
    expect(() => openCrs(new Uint8Array(100), other)).toThrow(
      withCode(CeremonyErrorCode.HEADER_INVALID),
    );
  });

  it('are refused if there are too few', async () => {
    const [, { file, state }] = await ceremonyOf(power - 1);
    const { statement, witness } = await kzgFixture(tinySet);
    const key = crsKeyOf(state);
    const tooSmall = withCode(ProofErrorCode.CRS_TOO_SMALL);
    await expect(proveKzg(statement, witness, openCrs(file.bytes, key))).rejects.toThrow(tooSmall);
    await expect(verifyKzg(statement, key, new Uint8Array(0))).rejects.toThrow(tooSmall);
  });
});

function digestOf(bytes: Uint8Array): `0x${string}` {
  return `0x${hash('sha256', bytes, 'hex')}`;
}
