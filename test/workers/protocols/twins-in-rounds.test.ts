import { describe, expect, it } from 'vitest';
import { encrypt } from '../../../workers/fhe/client.ts';
import { galoisKeyDigit } from '../../../workers/protocols/galois-key.ts';
import { publicKey } from '../../../workers/protocols/key-generation.ts';
import type { Part } from '../../../workers/protocols/opening.ts';
import { publicDecryption } from '../../../workers/protocols/public-decryption.ts';
import { relinearizationKeyDigit } from '../../../workers/protocols/relinearization-key.ts';
import { switchingKeyDigit } from '../../../workers/protocols/switching-key.ts';
import {
  parseRecipient,
  prepare,
  userDecryption,
} from '../../../workers/protocols/user-decryption.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { SharingErrorCode } from '../../../workers/sharing/errors.ts';
import { conducts } from '../../twins/index.ts';
import { sealKeys } from '../fhe/support.ts';
import { generateKey, runPart, simulate } from './simulation.ts';
import type { Conducts } from './simulation.ts';

const set = parameterSet('insecure-bfv-1024');
const tooFew = expect.objectContaining({ code: SharingErrorCode.TOO_FEW_AGREEING }) as Error;
const names = Object.keys(conducts).filter((name) => name !== 'honest');

describe.each([4, 7, 10, 13])('twins among %i operators', (n) => {
  const t = (n - 1) / 3;
  const simulation = simulate(n);
  const { session, indices } = simulation;
  const key = generateKey(simulation, set);
  const other = generateKey(simulation, set, 'other');
  const keys = [key, other];
  const reference = { keyId: key.keyId, generation: 0, set };
  const to = { keyId: other.keyId, generation: 0 };
  const recipient = parseRecipient(set, sealKeys(set).publicKey);
  const ciphertexts = [11n, 12n, 13n].map((scalar) =>
    prepare(session.committee, set, encrypt(set, key.publicKey, { scalar })),
  );
  const previous = runPart(
    simulation,
    keys,
    galoisKeyDigit(session, { ...reference, element: 5 }, 0),
  ).rounds[0][0].shares;

  const parts: [string, () => Part<unknown>][] = [
    ['a public key', () => publicKey(session, { keyId: key.keyId, set })],
    ['a relinearization key', () => relinearizationKeyDigit(session, reference, 1)],
    ['a Galois key', () => galoisKeyDigit(session, { ...reference, element: 3 }, 1)],
    ['a switching key', () => switchingKeyDigit(session, { from: reference, to, set }, 1)],
    [
      'a public decryption',
      () => publicDecryption(session, { ...reference, ciphertexts: ciphertexts.slice(0, 1) }),
    ],
    [
      'a public decryption of several numbers',
      () => publicDecryption(session, { ...reference, ciphertexts, positions: [0] }),
    ],
    [
      'a full user decryption',
      () =>
        userDecryption(session, {
          ...reference,
          ciphertexts: ciphertexts.slice(0, 1),
          recipient,
          form: 'full',
        }),
    ],
    [
      'a packed user decryption',
      () => userDecryption(session, { ...reference, ciphertexts, recipient, form: 'packed' }),
    ],
  ];

  describe.each(parts)('in %s', (_, part) => {
    const honestRun = runPart(simulation, keys, part());
    const openings = honestRun.rounds.flat();
    const known = new Map(openings.map(({ opening, shares }) => [opening.id, shares]));
    /** Operator 1, the first that a naive decoder would trust, is always among them. */
    const liars = (count: number): number[] => indices.filter((_, at) => at < count);
    /** Who lies in one opening only, and how. */
    const lyingIn = (id: string, name: string, count: number): Conducts =>
      new Map(
        liars(count).map((index) => [
          index,
          (share, context) => (context.opening.id === id ? conducts[name](share, context) : share),
        ]),
      );

    it.each(names)('t that are %s in any one opening change nothing and are named', (name) => {
      for (const { opening } of openings) {
        for (const receiver of [n - 1, n]) {
          const { result, rounds } = runPart(simulation, keys, part(), {
            to: receiver,
            conducts: lyingIn(opening.id, name, t),
            previous,
            known,
          });
          expect(result).toEqual(honestRun.result);
          for (const each of rounds.flat()) {
            const lies =
              each.opening.id === opening.id &&
              name !== 'silent' &&
              !(name === 'equivocating' && receiver % 2 === 1);
            expect(each.faulty).toEqual(lies ? liars(t) : []);
            expect(each.value).toEqual(
              openings.find((o) => o.opening.id === each.opening.id)!.value,
            );
          }
        }
      }
    });

    it('t that lie in all openings, each in its own way, change nothing', () => {
      const twins: Conducts = new Map(
        liars(t).map((index) => [index, conducts[names[index % names.length]]]),
      );
      const { result } = runPart(simulation, keys, part(), {
        to: n,
        conducts: twins,
        previous,
        known,
      });
      expect(result).toEqual(honestRun.result);
    });

    it.each(['silent', 'shifted', 'garbage'])('t+1 that are %s stop any opening', (name) => {
      for (const { opening } of openings) {
        const twins = lyingIn(opening.id, name, t + 1);
        expect(() =>
          runPart(simulation, keys, part(), { to: n, conducts: twins, previous, known }),
        ).toThrow(tooFew);
      }
    });
  });
});
