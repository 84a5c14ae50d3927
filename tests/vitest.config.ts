import { defineConfig } from 'vitest/config'

/** Quick tests run in parallel, each on its own database file and port. `*.serial.test.ts` (timing, kills, schedulers) run one at a time. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['tests/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'tests/**/*.serial.test.ts', 'tests/long/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
