import { getAddress } from 'viem';
import { describe, expect, it } from 'vitest';

import { OperatorErrorCode } from '../../../../workers/operator/errors.ts';
import { parseRegistration } from '../../../../workers/operator/registration/body.ts';
import { bodyOf } from './posting.ts';

const header = {
  keyId: `0x${'ab'.repeat(32)}`,
  owner: `0x${'cd'.repeat(20)}`,
  origin: 'lattice',
};
const ciphertext = Uint8Array.of(1, 2, 3);
const proof = Uint8Array.of(4, 5);

const refused: unknown = expect.objectContaining({
  code: OperatorErrorCode.REGISTRATION_MALFORMED,
});

describe('a body', () => {
  it('has a header, a ciphertext and a proof', () => {
    const parsed = parseRegistration(bodyOf(header, ciphertext, proof));
    expect(parsed).toEqual({
      ...{ keyId: header.keyId, origin: 'lattice', ciphertext, proof },
      owner: getAddress(header.owner),
    });
  });

  it('is read in either case of letters', () => {
    const shouted = { ...header, keyId: `0x${'AB'.repeat(32)}`, owner: `0x${'CD'.repeat(20)}` };
    expect(parseRegistration(bodyOf(shouted, ciphertext, proof))).toEqual(
      parseRegistration(bodyOf(header, ciphertext, proof)),
    );
  });

  it('of a computation has no ciphertext, and any other has one', () => {
    const computed = { ...header, origin: 'computed' };
    const none = new Uint8Array();
    expect(parseRegistration(bodyOf(computed, none, proof)).ciphertext).toEqual(none);
    expect(() => parseRegistration(bodyOf(computed, ciphertext, proof))).toThrow(refused);
    expect(() => parseRegistration(bodyOf(header, none, proof))).toThrow(refused);
  });

  it.each<[string, unknown]>([
    ['no object', 7],
    ['null', null],
    ['a list', [header]],
    ['without a key', { owner: header.owner, origin: 'lattice' }],
    ['with a key of another type', { ...header, keyId: [header.keyId] }],
    ['with a key that is too short', { ...header, keyId: '0x12' }],
    ['with an owner that is no address', { ...header, owner: `${header.owner}00` }],
    ['with an owner and a newline', { ...header, owner: `${header.owner}\n` }],
    ['owned by nobody', { ...header, owner: `0x${'00'.repeat(20)}` }],
    ['of another origin', { ...header, origin: 'vouched' }],
    ['with the number of an origin', { ...header, origin: 1 }],
    ['with a field too many', { ...header, more: 1 }],
    ['longer than headers are', { ...header, more: 'x'.repeat(512) }],
  ])('with a header that is %s is refused', (_, wrong) => {
    expect(() => parseRegistration(bodyOf(wrong, ciphertext, proof))).toThrow(refused);
  });

  it('is refused wherever it is cut off, and without a proof', () => {
    const body = bodyOf(header, ciphertext, proof);
    for (let length = 0; length <= body.length - proof.length; length++)
      expect(() => parseRegistration(body.subarray(0, length))).toThrow(refused);
  });

  it('is refused if a length leads beyond its end, or the header is no text', () => {
    const long = bodyOf(header, ciphertext, proof);
    long.fill(0xff, 0, 4);
    expect(() => parseRegistration(long)).toThrow(refused);
    const noText = bodyOf(header, ciphertext, proof);
    noText.fill(0xff, 4, 8);
    expect(() => parseRegistration(noText)).toThrow(refused);
  });
});
