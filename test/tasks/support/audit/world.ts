import {
  bytesToHex,
  concatBytes,
  custom,
  parseEventLogs,
  sha256,
  toHex,
  zeroHash,
  type Hex,
  type TransactionReceipt,
} from 'viem';

import { userDecryptionPermit } from '../../../../sdk/index.ts';
import { openGateway, type Gateway } from '../../../../tasks/support/gateway.ts';
import { requestEvaluationKeys } from '../../../../tasks/support/evaluation-keys.ts';
import { labelOf, requestKey } from '../../../../tasks/support/keys.ts';
import { addParameterSet } from '../../../../tasks/support/parameters.ts';
import { ciphertextRegistryAbi, decryptionGatewayAbi } from '../../../../workers/chain/abi.ts';
import type { Statement } from '../../../../workers/chain/typed-data.ts';
import { createKeyPair, encrypt, type Values } from '../../../../workers/fhe/client.ts';
import { entryStart } from '../../../../workers/fhe/evaluation-keys.ts';
import { drive } from '../../../../workers/protocols/drive.ts';
import {
  entriesOf,
  type EvaluationKeyRequest,
} from '../../../../workers/protocols/evaluation-keys.ts';
import { keyShareOf, publicKey } from '../../../../workers/protocols/key-generation.ts';
import { open, type KeyShare, type Part } from '../../../../workers/protocols/opening.ts';
import {
  openedTogether,
  publicDecryption,
} from '../../../../workers/protocols/public-decryption.ts';
import {
  parseRecipient,
  prepare,
  userDecryption,
} from '../../../../workers/protocols/user-decryption.ts';
import { parameterSet, type ParameterSet } from '../../../../workers/ring/parameters.ts';
import { committeeOf } from '../../../../workers/sharing/committee.ts';
import { activateEpoch } from '../../../contracts/support/epoch.ts';
import {
  connectChain,
  deployGateway,
  firstMembers,
  operatorAccount,
  registerOperators,
  send,
  signaturesOf,
  type DeployedGateway,
  type LocalChain,
} from '../../../contracts/support/gateway.ts';
import {
  dealingsOf,
  simulationOf,
  type Simulation,
} from '../../../workers/protocols/simulation.ts';
import { ServingOperators } from './operators.ts';

export const SET = parameterSet('insecure-bfv-1024');
const GENERATION = 0;

/** A request that the committee has worked on, and the result that it would record. */
export interface Worked {
  readonly requestId: Hex;
  readonly result: Hex;
}

/**
 * A real chain with the real contracts, and a committee that does everything but talk to each other:
 * it runs the protocols in one process, signs every share and serves what it signed.
 */
export class World implements AsyncDisposable {
  readonly set: ParameterSet;
  readonly chain: LocalChain;
  readonly contracts: DeployedGateway;
  readonly gateway: Gateway;
  readonly operators: ServingOperators;
  readonly simulation: Simulation;
  readonly #keyShares = new Map<Hex, Map<number, KeyShare>>();
  readonly #publicKeys = new Map<Hex, Uint8Array>();
  readonly #ciphertexts = new Map<Hex, Uint8Array>();
  #requests = 0;

  private constructor(
    set: ParameterSet,
    chain: LocalChain,
    contracts: DeployedGateway,
    gateway: Gateway,
    operators: ServingOperators,
    simulation: Simulation,
  ) {
    this.set = set;
    this.chain = chain;
    this.contracts = contracts;
    this.gateway = gateway;
    this.operators = operators;
    this.simulation = simulation;
  }

  static async create(n = 4, set = SET): Promise<World> {
    const chain = await connectChain();
    const contracts = await deployGateway(chain, { registrar: chain.governor.account.address });
    const { deployment, operatorRegistry, epochManager } = contracts;
    const operators = await ServingOperators.start();
    await registerOperators(chain, contracts, n);
    for (let index = 1; index <= n; index++)
      await send(chain, operatorAccount(index), operatorRegistry, 'updateEndpoints', [
        ...['/ip4/127.0.0.1/tcp/4001', operators.endpointOf(index)],
      ]);
    const committee = committeeOf(n);
    const { proposalId, epochId } = await activateEpoch(
      ...([chain, contracts, n, zeroHash] as const),
      (index, proposal) => dealingsOf(committee, proposal).get(index)!.root,
    );
    const { setupDigest } = await epochManager.read.epoch([epochId]);
    operators.join(deployment, epochId);
    const gateway = await gatewayThrough(chain, contracts, (_, forward) => forward());
    const session = {
      ...{ chainId: deployment.chainId, gateway: contracts.decryptionGateway.address },
      ...{ epochId, setupDigest, committee },
    };
    const dealings = dealingsOf(committee, proposalId);
    const indices = [...dealings.keys()];
    // A quorum has dealt, all members have received.
    const standing = indices.slice(0, committee.quorum);
    const simulation = simulationOf(session, dealings, standing, indices);
    await addParameterSet(gateway, set);
    return new World(set, chain, contracts, gateway, operators, simulation);
  }

  /** The same deployment through an RPC endpoint that lies. */
  through(meddle: Meddle): Promise<Gateway> {
    return gatewayThrough(this.chain, this.contracts, meddle);
  }

  /** Has a key generated and recorded. */
  async key(label: string): Promise<Hex> {
    const { session, randomness } = this.simulation;
    const { epochId } = session;
    const { keyId } = await requestKey(this.gateway, {
      epochId,
      set: this.set,
      label: labelOf(label),
    });
    const key = { keyId, set: this.set };
    this.#keyShares.set(
      keyId,
      new Map([...randomness].map(([index, own]) => [index, keyShareOf(session, key, own)])),
    );
    const made = await this.#run(publicKey(session, key));
    this.#publicKeys.set(keyId, made.publicKey);
    const { digest } = made;
    const statement = {
      ...({ type: 'Result', contract: 'keyManager' } as const),
      message: { epochId, requestId: keyId, result: digest },
    };
    await this.contracts.keyManager.write.recordPublicKey([
      ...([keyId, digest] as const),
      ...(await this.#quorum(statement)),
    ]);
    return keyId;
  }

  /** Has evaluation keys made and recorded. */
  async evaluationKeys(request: EvaluationKeyRequest): Promise<Hex> {
    const { session } = this.simulation;
    const { epochId } = session;
    if (request.kind === 'switching')
      await this.contracts.evaluationKeyManager.write.allowSwitching([
        ...([request.keyId, request.targetKeyId] as const),
      ]);
    const { requestId } = await requestEvaluationKeys(this.gateway, request);
    const entries: Uint8Array[] = [];
    for (const { digits, digit } of entriesOf(session, request, this.set, () => GENERATION)) {
      const parts = [entryStart(this.set)];
      for (let d = 0; d < digits; d++) parts.push(await this.#run(digit(d)));
      entries.push(concatBytes(parts));
    }
    const digests = bytesToHex(concatBytes(entries.map((entry) => sha256(entry, 'bytes'))));
    const message = { epochId, requestId, result: digests };
    await this.contracts.evaluationKeyManager.write.recordEvaluationKeys([
      ...([requestId, digests] as const),
      ...(await this.#quorum({ type: 'Result', contract: 'evaluationKeyManager', message })),
    ]);
    return requestId;
  }

  /** Encrypts, registers and uploads. */
  async ciphertext(keyId: Hex, values: Values): Promise<Hex> {
    return this.register(keyId, encrypt(this.set, this.#publicKeys.get(keyId)!, values));
  }

  /** Registers bytes, whatever they are. */
  async register(keyId: Hex, bytes: Uint8Array): Promise<Hex> {
    const receipt = await send(
      ...([this.chain, undefined, this.contracts.ciphertextRegistry, 'register'] as const),
      [keyId, sha256(bytes), this.set.primes.length - 1, 20, this.chain.governor.account.address],
    );
    const { logs } = receipt;
    const [event] = parseEventLogs({
      ...{ abi: ciphertextRegistryAbi, eventName: 'CiphertextRegistered', logs },
    });
    this.operators.keepBlob(bytes);
    this.#ciphertexts.set(event.args.handle, bytes);
    return event.args.handle;
  }

  /** A ciphertext's bytes. */
  bytesOf(handle: Hex): Uint8Array {
    return this.#ciphertexts.get(handle)!;
  }

  /** Requests a public decryption. */
  async requestPublic(handles: readonly Hex[], positions: readonly number[]): Promise<Hex> {
    return requestIdIn(
      await send(
        ...([this.chain, undefined, this.contracts.decryptionGateway] as const),
        ...(['requestPublicDecryption', [handles, positions, this.#salt()]] as const),
      ),
    );
  }

  /** Requests a public decryption and works it out. */
  async decryptPublicly(
    keyId: Hex,
    handles: readonly Hex[],
    positions: readonly number[],
  ): Promise<Worked> {
    const requestId = await this.requestPublic(handles, positions);
    const parts: Uint8Array[] = [];
    for (const list of openedTogether(handles, positions)) {
      const ciphertexts = list.map((handle) => this.#ciphertexts.get(handle)!);
      const part = publicDecryption(this.simulation.session, {
        ...{ keyId, generation: GENERATION, set: this.set, ciphertexts },
        positions: positions.length === 0 ? undefined : positions,
      });
      for (const { result } of await this.#run(part)) parts.push(result);
    }
    return { requestId, result: bytesToHex(concatBytes(parts)) };
  }

  /** Requests a decryption for a user, the governor, and works it out. */
  async decryptForUser(keyId: Hex, handles: readonly Hex[], packed: boolean): Promise<Worked> {
    const { chain, contracts, simulation, gateway } = this;
    const keys = createKeyPair(this.set);
    this.operators.keepBlob(keys.publicKey);
    const { timestamp } = await gateway.client.getBlock();
    const permit = userDecryptionPermit({
      ...{ chainId: gateway.chainId, gateway: gateway.addresses.decryptionGateway },
      ...{ user: chain.governor.account.address, publicKeyDigest: sha256(keys.publicKey), handles },
      ...{ validFrom: Number(timestamp) - 1, validUntil: Number(timestamp) + 3600 },
    });
    const signature = await chain.governor.signTypedData(permit);
    const requestId = requestIdIn(
      await send(chain, undefined, contracts.decryptionGateway, 'requestUserDecryption', [
        ...[permit.message, signature, handles, packed, this.#salt()],
      ]),
    );
    const { session } = simulation;
    const parts: Uint8Array[] = [];
    for (const content of packed ? [handles] : handles.map((handle) => [handle])) {
      const part = userDecryption(session, {
        ...{ keyId, generation: GENERATION, set: this.set, form: packed ? 'packed' : 'full' },
        ciphertexts: content.map((handle) =>
          prepare(session.committee, this.set, this.#ciphertexts.get(handle)!),
        ),
        recipient: parseRecipient(this.set, keys.publicKey),
      });
      parts.push(sha256(await this.#run(part), 'bytes'));
    }
    return { requestId, result: bytesToHex(concatBytes(parts)) };
  }

  /** Has a quorum sign and record the result of a decryption, whether it is right or not. */
  async respond({ requestId, result }: Worked): Promise<TransactionReceipt> {
    const { epochId } = this.simulation.session;
    const message = { epochId, requestId, result };
    const quorum = await this.#quorum({ type: 'Result', contract: 'decryptionGateway', message });
    return send(
      ...([this.chain, undefined, this.contracts.decryptionGateway, 'respond'] as const),
      [requestId, result, ...quorum],
    );
  }

  async #quorum(statement: Statement): Promise<[bigint, Hex]> {
    const { quorum } = this.simulation.session.committee;
    const signatures = await signaturesOf(this.contracts.deployment, statement, quorum);
    return [firstMembers(quorum), signatures];
  }

  /** Runs a part as the committee does; every operator signs its shares and keeps everybody's. */
  async #run<Result>(part: Part<Result>): Promise<Result> {
    const { simulation, operators } = this;
    return drive(part, async ({ opening, share }) => {
      const shares = new Map(
        simulation.indices.map((index) => [
          index,
          share({
            randomness: simulation.randomness.get(index)!,
            keyShare: (keyId) => this.#keyShares.get(keyId)!.get(index)!,
          }),
        ]),
      );
      for (const [index, residues] of shares)
        await operators.keepShare(index, opening.id, residues);
      return open(opening, shares).value;
    });
  }

  #salt(): Hex {
    return toHex(++this.#requests, { size: 32 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.operators[Symbol.asyncDispose]();
  }
}

/** What an RPC endpoint makes of a call. */
export type Meddle = (
  method: string,
  forward: () => Promise<unknown>,
  params: unknown,
) => Promise<unknown>;

/** The deployment as a client sees it whose RPC endpoint may lie. */
function gatewayThrough(
  chain: LocalChain,
  contracts: DeployedGateway,
  meddle: Meddle,
): Promise<Gateway> {
  const { request } = chain.client;
  return openGateway({
    transport: custom({
      request: (asked: { method: string; params?: unknown }) =>
        meddle(asked.method, () => request(asked as never), asked.params),
    }),
    gateway: contracts.decryptionGateway.address,
    account: chain.governor.account.address,
  });
}

function requestIdIn({ logs }: TransactionReceipt): Hex {
  const [event] = parseEventLogs({
    abi: decryptionGatewayAbi,
    eventName: ['PublicDecryptionRequested', 'UserDecryptionRequested'],
    logs,
  });
  return event.args.requestId;
}
