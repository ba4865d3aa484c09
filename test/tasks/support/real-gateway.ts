import { concatHex, custom, keccak256, toHex, type Address, type Hex } from 'viem';

import { blobDigest } from '../../../sdk/index.ts';
import { openGateway, type Gateway } from '../../../tasks/support/gateway.ts';
import { labelOf, requestKey } from '../../../tasks/support/keys.ts';
import { addParameterSet } from '../../../tasks/support/parameters.ts';
import { createKeyPair } from '../../../workers/fhe/client.ts';
import { parameterSet, type ParameterSet } from '../../../workers/ring/parameters.ts';
import { activateEpoch } from '../../contracts/support/epoch.ts';
import {
  connectChain,
  deployGateway,
  firstMembers,
  operatorAccount,
  quorumOf,
  send,
  signaturesOf,
} from '../../contracts/support/gateway.ts';
import { fakeOperator } from './fake-operator.ts';

export const SET = parameterSet('insecure-bfv-1024');
const N = 4;
const ROLES = { governor: 0, outsider: 1, user: 2 } as const;

/**
 * The contracts on a chain of this process, with a committee of four that has no operators behind it:
 * the test signs for them, and one HTTP server keeps blobs in the place of all.
 */
export async function realGateway() {
  const chain = await connectChain();
  const deployed = await deployGateway(chain, { registrar: chain.governor.account.address });
  const { deployment } = deployed;
  const wallets = await chain.viem.getWalletClients();
  const blobs = new Map<string, Uint8Array>();
  const operator = await fakeOperator((request, response) => {
    const digest = `0x${request.url?.split('/')[2] ?? ''}`;
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        blobs.set(digest, Buffer.concat(chunks));
        response.writeHead(204).end();
      });
      return;
    }
    response.writeHead(blobs.has(digest) ? 200 : 404).end(blobs.get(digest));
  });

  const accountOf = (role: keyof typeof ROLES): Address => {
    const wallet = wallets[ROLES[role]];
    if (wallet === undefined) throw new TypeError('no such account');
    return wallet.account.address;
  };
  /** The deployment as one of the chain's accounts sees it, over JSON-RPC as the tasks do. */
  const as = (role: keyof typeof ROLES): Promise<Gateway> =>
    openGateway({
      transport: custom(chain.client, { retryCount: 0 }),
      gateway: deployment.addresses.decryptionGateway,
      account: accountOf(role),
    });
  const governor = await as('governor');

  /** Has an operator serve at another endpoint. */
  const moveOperator = (index: number, endpoint: string) =>
    send(chain, operatorAccount(index), deployed.operatorRegistry, 'updateEndpoints', [
      ...['/ip4/127.0.0.1/tcp/4001', endpoint],
    ]);

  const epochOfFour = async (salt: string): Promise<Hex> => {
    const { epochId } = await activateEpoch(chain, deployed, N, keccak256(toHex(salt)));
    for (let i = 1; i <= N; i++) await moveOperator(i, operator.endpoint);
    return epochId;
  };
  const epochId = await epochOfFour('first');
  await addParameterSet(governor, SET);

  const quorum = quorumOf(N);
  const signed = (statement: Parameters<typeof signaturesOf>[1]) =>
    signaturesOf(deployment, statement, quorum);
  const keep = (bytes: Uint8Array): Hex => {
    const digest = blobDigest(bytes);
    blobs.set(digest, bytes);
    return digest;
  };

  return {
    chain,
    deployed,
    epochId,
    blobs,
    accountOf,
    as,
    epochOfFour,
    moveOperator,
    /** Serves a blob from now on. */
    keep,

    /** A key whose secret the test has: what the committee records is one of SEAL's own. */
    async makeKey(
      label: string,
      options: { set?: ParameterSet; epochId?: Hex; by?: Gateway } = {},
    ) {
      const { set = SET, by = governor } = options;
      const request = { epochId: options.epochId ?? epochId, set, label: labelOf(label) };
      const { keyId } = await requestKey(by, request);
      const pair = createKeyPair(set);
      const result = keep(pair.publicKey);
      const message = { epochId: request.epochId, requestId: keyId, result };
      const signatures = await signed({ type: 'Result', contract: 'keyManager', message });
      await send(chain, undefined, deployed.keyManager, 'recordPublicKey', [
        ...[keyId, result, firstMembers(quorum), signatures],
      ]);
      return { keyId, ...pair };
    },

    /** Records entries as the result of a request for evaluation keys, and serves them. */
    async recordEntries(requestId: Hex, entries: readonly Uint8Array[]): Promise<Hex[]> {
      const digests = entries.map(keep);
      const message = { epochId, requestId, result: concatHex(digests) };
      const signatures = await signed({
        ...({ type: 'Result', contract: 'evaluationKeyManager', message } as const),
      });
      await send(chain, undefined, deployed.evaluationKeyManager, 'recordEvaluationKeys', [
        ...[requestId, message.result, firstMembers(quorum), signatures],
      ]);
      return digests;
    },

    /** Answers a user decryption with these ciphertexts, and serves them. */
    async respond(requestId: Hex, answers: readonly Uint8Array[]): Promise<void> {
      const message = { epochId, requestId, result: concatHex(answers.map(keep)) };
      const signatures = await signed({ type: 'Result', contract: 'decryptionGateway', message });
      await send(chain, undefined, deployed.decryptionGateway, 'respond', [
        ...[requestId, message.result, firstMembers(quorum), signatures],
      ]);
    },

    [Symbol.asyncDispose]: () => operator[Symbol.asyncDispose](),
  };
}

export type RealGateway = Awaited<ReturnType<typeof realGateway>>;
