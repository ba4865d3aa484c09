import { defineConfig } from 'vitest/config';

// Projects by cost: `npm test` runs contracts, workers and e2e; `npm run test:slow` runs slow.
export default defineConfig({
  test: {
    retry: 0,
    // By default one core is left for Vitest itself, which needs little of it.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'contracts',
          include: ['test/contracts/**/*.test.ts', 'test/scripts/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'workers',
          include: [
            'test/workers/**/*.test.ts',
            'test/sdk/**/*.test.ts',
            'test/tasks/**/*.test.ts',
          ],
          exclude: ['test/**/*.slow.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/**/*.slow.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'slow',
          include: ['test/**/*.slow.test.ts'],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
        },
      },
    ],
  },
});
