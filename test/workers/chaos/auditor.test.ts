import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hexToBytes, sha256, stringToHex, zeroAddress, type Hex } from 'viem';
import { privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';
import { afterEach, describe, expect, it } from 'vitest';

import { SignedShares } from '../../chaos/signed-shares.ts';
import { StatementBook } from '../../chaos/statements.ts';
import type { Member } from '../../../tasks/support/operators.ts';
import type { Deployment } from '../../../workers/chain/client.ts';
import { signStatement } from '../../../workers/chain/typed-data.ts';
import { commitShare } from '../../../workers/sharing/commitment.ts';

const word = (text: string): Hex => sha256(stringToHex(text));
const [epochId, openingId] = [word('epoch'), word('opening')];
const accounts = [1, 2].map((index) => privateKeyToAccount(word(`operator ${index}`)));
const addresses = Object.fromEntries(
  [
    ...['decryptionGateway', 'keyManager', 'evaluationKeyManager', 'crsManager'],
    ...['ciphertextRegistry', 'epochManager', 'operatorRegistry'],
  ].map((name) => [name, zeroAddress]),
);
const deployment = { chainId: 31_337n, addresses } as unknown as Deployment;

const closings: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
});

/** What a transcript has of a share: its signature and the share. */
async function signed(signer: PrivateKeyAccount, residues: BigUint64Array): Promise<Buffer> {
  const message = { epochId, openingId, root: commitShare(residues) };
  const statement = { type: 'ShareCommitment', message } as const;
  const signature = await signStatement(signer, deployment, statement);
  return Buffer.concat([hexToBytes(signature), Buffer.from(residues.slice().buffer)]);
}

/** An operator that holds these shares of the opening, by committee index. */
async function holder(index: number, shares: Readonly<Record<number, Buffer>>): Promise<Member> {
  const path = `/transcripts/${openingId.slice(2)}`;
  const server = createServer(({ url }, response) => {
    if (url === path) {
      const indices = Object.keys(shares).map(Number);
      return void response.end(JSON.stringify({ openingId, epochId, indices }));
    }
    const share = shares[Number(url?.slice(path.length + 1))];
    response.writeHead(share === undefined ? 404 : 200).end(share);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  closings.push(async () => {
    server.closeAllConnections();
    await once(server.close(), 'close');
  });
  const { address } = accounts[index - 1];
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { index, operator: address, signer: address, endpoint };
}

async function bookOf(members: readonly Member[]): Promise<StatementBook> {
  const book = new StatementBook();
  const shares = new SignedShares(deployment, epochId, members);
  for (const statement of await shares.collect([openingId])) book.add(statement);
  return book;
}

const [one, other] = [BigUint64Array.of(1n, 2n), BigUint64Array.of(1n, 3n)];

describe('the auditor', () => {
  it('finds two shares of one operator that are at different ones', async () => {
    const members = [
      await holder(1, { 1: await signed(accounts[0], one), 2: await signed(accounts[1], one) }),
      await holder(2, { 1: await signed(accounts[0], other), 2: await signed(accounts[1], one) }),
    ];
    expect((await bookOf(members)).conflicts()).toEqual([
      {
        ...{ signer: 1, subject: `opening ${openingId}` },
        contents: [
          { content: commitShare(one), sources: ['transcript at operator 1'] },
          { content: commitShare(other), sources: ['transcript at operator 2'] },
        ],
      },
    ]);
  });

  it('finds nothing where all hold the same', async () => {
    const share = await signed(accounts[0], one);
    const book = await bookOf([await holder(1, { 1: share }), await holder(2, { 1: share })]);
    expect(book.size).toBe(1);
    expect(book.conflicts()).toEqual([]);
  });

  it('takes nothing from a holder that the operator has not signed', async () => {
    const forged = await signed(accounts[1], other);
    const cut = (await signed(accounts[0], other)).subarray(0, 65);
    const members = [
      await holder(1, { 1: await signed(accounts[0], one), 2: cut }),
      await holder(2, { 1: forged }),
    ];
    const book = await bookOf(members);
    expect(book.size).toBe(1);
    expect(book.conflicts()).toEqual([]);
  });

  it('compares what it finds at different times', () => {
    const book = new StatementBook();
    const said = { signer: 3, subject: 'result of 0x1', source: 'here' };
    book.add({ ...said, content: '0xaa' });
    book.add({ ...said, content: '0xaa', source: 'there' });
    book.add({ ...said, content: '0xbb', signer: 2 });
    book.add({ ...said, content: '0xbb', subject: 'result of 0x2' });
    expect(book.conflicts()).toEqual([]);
    book.add({ ...said, content: '0xbb', source: 'later' });
    expect(book.conflicts()).toEqual([
      {
        ...{ signer: 3, subject: 'result of 0x1' },
        contents: [
          { content: '0xaa', sources: ['here', 'there'] },
          { content: '0xbb', sources: ['later'] },
        ],
      },
    ]);
  });
});
