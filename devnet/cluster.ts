import { parseAbi, parseEther, sha256, stringToHex, type Hex } from 'viem';

import { proposeEpoch, waitForEpoch, type Epoch } from '../tasks/support/epochs.ts';
import type { OnProgress } from '../tasks/support/waiting.ts';
import { registerOperator } from '../tasks/support/registration.ts';
import { send } from '../tasks/support/transactions.ts';
import { governor, operatorOwner } from './accounts.ts';
import type { Devnet } from './devnet.ts';
import { OperatorProcess, type OperatorPorts, type StartOptions } from './operator-process.ts';
import { freePort } from './ports.ts';

const tokenAbi = parseAbi(['function mint(address account, uint256 amountWei)']);

/** What an owner has for its bond, in the bond token; more than any minimum that is deployed. */
const MINTED_WEI = parseEther('1000000');
/** What a signer has for gas. */
const GAS_MONEY_WEI = parseEther('10');

const SETUP_TIMEOUT_MS = 120_000;

/** Creates operators 1..n, registers each for its owner, starts them and waits until all answer. */
export async function startOperators(
  devnet: Devnet,
  n: number,
  options: {
    ports?: (index: number) => OperatorPorts;
    /** Called once they are there and before one is started; returns how to start each. */
    prepare?: (operators: readonly OperatorProcess[]) => Promise<(index: number) => StartOptions>;
    onProgress?: (text: string) => void;
  } = {},
): Promise<OperatorProcess[]> {
  const { onProgress } = options;
  const ports = options.ports ?? (async () => ({ http: await freePort(), p2p: await freePort() }));
  const surroundings = {
    workspace: devnet.workspace,
    rpcUrl: devnet.chain.rpcUrl,
    gateway: devnet.deployment.gateway,
  };
  const indices = Array.from({ length: n }, (_, position) => position + 1);
  onProgress?.('making their identities');
  const operators = await Promise.all(
    indices.map(async (index) => OperatorProcess.create(index, await ports(index), surroundings)),
  );
  const startOptions = await options.prepare?.(operators);
  for (const operator of operators) {
    await register(devnet, operator);
    onProgress?.(`operator ${operator.index} is registered; signer ${operator.identity.signer}`);
    operator.start(startOptions?.(operator.index));
  }
  onProgress?.('waiting until all of them answer');
  await Promise.all(operators.map((operator) => operator.waitHealthy()));
  return operators;
}

/** Proposes these operators as a committee and waits until their set-up is complete. */
export async function setUpEpoch(
  devnet: Devnet,
  operators: readonly OperatorProcess[],
  options: { onProgress?: OnProgress; signal?: AbortSignal; salt?: Hex } = {},
): Promise<Epoch> {
  const gateway = await devnet.as(governor);
  const proposalId = await proposeEpoch(gateway, {
    operators: operators.map(({ index }) => operatorOwner(index).address),
    salt: options.salt ?? sha256(stringToHex('devnet epoch 1')),
  });
  const epoch = await waitForEpoch(gateway, proposalId, {
    timeoutMs: SETUP_TIMEOUT_MS,
    onProgress: options.onProgress,
    signal: options.signal,
  });
  await Promise.all(
    operators.map((operator) =>
      operator.waitForHealth('holding its keys', (health) =>
        health.epochs.some((seat) => seat.epochId === epoch.epochId && seat.shares),
      ),
    ),
  );
  return epoch;
}

/** The owner's part: gives the signer gas money, and registers the operator with its bond. */
async function register(devnet: Devnet, operator: OperatorProcess): Promise<void> {
  const gateway = await devnet.as(operatorOwner(operator.index));
  const { identity, multiaddr, endpoint } = operator;
  await send(gateway, {
    address: devnet.deployment.bondToken,
    abi: tokenAbi,
    functionName: 'mint',
    args: [operatorOwner(operator.index).address, MINTED_WEI],
  });
  await gateway.wallet?.sendTransaction({ to: identity.signer, value: GAS_MONEY_WEI });
  await registerOperator(gateway, {
    signer: identity.signer,
    peerId: identity.peerIdBytes,
    multiaddr,
    endpoint,
  });
}
