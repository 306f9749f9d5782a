import { defineConfig } from 'vitest/config';

/** End-to-end tests: the built command against real parts. Two files at a time is what two cores can do. */
export default defineConfig({
  test: {
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    globalSetup: ['global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    maxConcurrency: 2,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
});
