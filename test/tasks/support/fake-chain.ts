import { encodeAbiParameters, keccak256, numberToHex, zeroAddress, type Hex } from 'viem';

import type { Gateway } from '../../../tasks/support/gateway.ts';
import { publicDecryptionRequestId } from '../../../workers/chain/ids.ts';
import { parameterSet } from '../../../workers/ring/parameters.ts';
import { parameterSetId } from '../../../workers/sharing/ids.ts';

export const id = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;

export const SET = parameterSet('insecure-bfv-1024');
export const NOW = 1_000_000;

/** What the fake chain says of its one decryption request. */
export interface FakeAnswer {
  state: number;
  deadline: number;
  positions: readonly number[];
  handles: readonly Hex[];
  /** The result that the contract recorded. */
  recorded: Hex;
  /** The results in the logs that the RPC endpoint returns. */
  logged: readonly Hex[];
}

const operators = [1, 2, 3, 4].map((n) => numberToHex(n, { size: 20 }));
const deployment = {
  chainId: 1n,
  addresses: {
    decryptionGateway: zeroAddress,
    epochManager: zeroAddress,
    keyManager: zeroAddress,
    evaluationKeyManager: zeroAddress,
    ciphertextRegistry: zeroAddress,
    crsManager: zeroAddress,
    operatorRegistry: zeroAddress,
  },
};

/** What the log of the request says. */
const requested = ({ handles, positions }: Pick<FakeAnswer, 'handles' | 'positions'>) => ({
  ...{ epochId: id(1), keyId: id(2), handles, positions },
  ...{ requester: operators[0], salt: id(3) },
});

/** The request's id. */
export const requestIdOf = (answer: Pick<FakeAnswer, 'handles' | 'positions'>): Hex =>
  publicDecryptionRequestId(deployment, requested(answer));

/** A deployment with one epoch of four, one key and one request, read through a client that may lie. */
export function fakeGateway(answer: FakeAnswer, endpoint: string): Gateway {
  const requestId = requestIdOf(answer);
  const views: Record<string, (args: readonly unknown[]) => unknown> = {
    request: () => ({
      ...{ state: answer.state, deadline: BigInt(answer.deadline), operation: 2 },
      ...{ epochId: id(1), feeWei: 0n, account: zeroAddress, signers: 0 },
    }),
    isResult: ([, result]) => hash(result as Hex) === hash(answer.recorded),
    key: () => ({
      state: 2,
      deadline: 0n,
      epochId: id(1),
      parameterSetId: parameterSetId(SET),
      digest: id(9),
    }),
    epoch: () => ({
      phase: 3,
      proposalId: id(8),
      setupDigest: id(7),
      confirmations: 0b1111n,
      operators,
      signers: operators,
    }),
    getOperator: () => ({ endpoint }),
  };
  const logs: Record<string, readonly { args: unknown }[]> = {
    PublicDecryptionRequested: [
      {
        args: { requestId, ...requested(answer) },
      },
    ],
    PublicDecryptionResponded: answer.logged.map((result) => ({
      args: { requestId, result, signerBitmap: 0b1011n },
    })),
  };
  const client = {
    readContract: async (call: { functionName: string; args: readonly unknown[] }) =>
      views[call.functionName]?.(call.args),
    getContractEvents: async (query: { eventName: string }) => logs[query.eventName],
    getBlockNumber: async () => 10n,
    getBlock: async () => ({ timestamp: BigInt(NOW) }),
  };
  return {
    client: client as unknown as Gateway['client'],
    wallet: undefined,
    deploymentBlock: 0n,
    feeVault: zeroAddress,
    slashingManager: zeroAddress,
    ...deployment,
  };
}

const hash = (result: Hex): Hex => keccak256(encodeAbiParameters([{ type: 'bytes' }], [result]));
