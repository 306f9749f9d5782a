import { defineConfig } from 'vitest/config';

/** Unit and property tests run straight from the sources: the `source` condition of each package's exports. */
export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  // The oldest Node that is supported does not know `using`.
  oxc: { target: 'es2024' },
  test: {
    include: ['packages/*/src/**/*.test.ts'],
    pool: 'forks',
    isolate: false,
    // By itself vitest leaves one core idle.
    maxWorkers: '100%',
    testTimeout: 30_000,
  },
});
