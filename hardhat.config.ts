import hardhatToolboxViem from '@nomicfoundation/hardhat-toolbox-viem';
import { createRequire } from 'node:module';
import { configVariable, defineConfig } from 'hardhat/config';

import { kmsTasks } from './tasks/index.ts';

// The compiler comes from the registry like every other package: nothing is downloaded at build time.
const soljson = createRequire(import.meta.url).resolve('solc/soljson.js');

export default defineConfig({
  plugins: [hardhatToolboxViem],
  tasks: kmsTasks,
  solidity: {
    version: '0.8.37',
    path: soljson,
    settings: { optimizer: { enabled: true, runs: 800 }, evmVersion: 'cancun' },
  },
  paths: { ignition: 'deploy', tests: { solidity: 'test/contracts', nodejs: 'test/contracts' } },
  test: { solidity: { fuzz: { runs: 256, seed: '0x6b65796c6f6f6d' } } },
  networks: {
    // In-process L2 for contract tests.
    default: { type: 'edr-simulated', chainType: 'op' },
    // The local L2 that `npm run devnet` starts.
    devnet: { type: 'http', chainType: 'op', url: 'http://127.0.0.1:8545' },
    // A real L2. Both come from Hardhat's keystore, or from the environment: docs/tasks.md, Accounts.
    l2: {
      type: 'http',
      chainType: 'op',
      url: configVariable('KEYLOOM_RPC_URL'),
      accounts: [configVariable('KEYLOOM_ACCOUNT_KEY')],
    },
  },
});
