import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isAddressEqual, zeroAddress, type Address } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectGateway, contractAt } from '../../../workers/chain/client.ts';
import { ChainErrorCode } from '../../../workers/chain/errors.ts';
import { deployGateway, type TestDeployment } from './support/deployment.ts';
import { startNode, type TestNode } from './support/node.ts';

let node: TestNode;
let deployment: TestDeployment;

beforeAll(async () => {
  node = await startNode();
  deployment = await deployGateway(node);
});
afterAll(() => node?.stop());

describe('connectGateway', () => {
  it('finds the other contracts from the gateway', async () => {
    const { decryptionGateway, epochManager } = deployment.addresses;
    const gateway = await connectGateway({
      rpcUrls: [node.rpcUrl],
      gateway: decryptionGateway,
      expectedChainId: 31337n,
    });
    for (const [name, address] of Object.entries<Address>({ ...deployment.addresses })) {
      expect(contractAt(gateway.addresses, address)).toBe(name);
    }
    expect(contractAt(gateway.addresses, zeroAddress)).toBeUndefined();
    expect(gateway.chainId).toBe(31337n);
    expect(gateway.deploymentBlock).toBeLessThanOrEqual(deployment.deploymentBlock);
    expect(gateway.deploymentBlock).toBeGreaterThan(0n);
    const { slashingManager } = gateway.contracts;
    const { read } = gateway.contracts.decryptionGateway;
    expect(slashingManager.address).toBe(await read.slashingManager());
    // What operators agree on are the logs of the seven.
    expect(contractAt(gateway.addresses, slashingManager.address)).toBeUndefined();
    expect(isAddressEqual(gateway.contracts.epochManager.address, epochManager)).toBe(true);
    expect(await gateway.contracts.operatorRegistry.read.operatorCount()).toBe(0n);
    const { feeVault } = gateway.contracts;
    expect(isAddressEqual(feeVault.address, deployment.feeVault)).toBe(true);
    expect(isAddressEqual(await feeVault.read.token(), deployment.token)).toBe(true);
    // Operators do not follow its logs.
    expect(contractAt(gateway.addresses, feeVault.address)).toBeUndefined();
  });

  it.each<[string, () => Parameters<typeof connectGateway>[0], ChainErrorCode]>([
    [
      'an endpoint of another chain',
      () => ({
        rpcUrls: [node.rpcUrl],
        gateway: deployment.addresses.decryptionGateway,
        expectedChainId: 10n,
      }),
      ChainErrorCode.WRONG_CHAIN,
    ],
    [
      'an address without code',
      () => ({ rpcUrls: [node.rpcUrl], gateway: '0x00000000000000000000000000000000000000aa' }),
      ChainErrorCode.NO_GATEWAY,
    ],
    [
      'another contract',
      () => ({ rpcUrls: [node.rpcUrl], gateway: deployment.token }),
      ChainErrorCode.NO_GATEWAY,
    ],
    [
      'nobody at the URL',
      () => ({ rpcUrls: ['http://127.0.0.1:1'], gateway: deployment.token }),
      ChainErrorCode.RPC_UNREACHABLE,
    ],
  ])('refuses %s', async (_, options, code) => {
    await expect(connectGateway(options())).rejects.toMatchObject({ code });
  });

  it('refuses a server that speaks something else', async () => {
    const server = createServer((_, response) => response.end('{"jsonrpc":"2.0","id":0}'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const rpcUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(
      connectGateway({ rpcUrls: [rpcUrl], gateway: deployment.token }),
    ).rejects.toMatchObject({
      code: ChainErrorCode.RPC_FAILED,
    });
    server.close();
  });
});
