import { defineConfig } from 'vitest/config'
import { SkipReporter } from './helpers/skip-reporter.ts'

const root = new URL('..', import.meta.url).pathname
const shared = { root, testTimeout: 30_000, hookTimeout: 60_000, pool: 'forks' as const }
const SERIAL = 'tests/**/*.serial.test.ts'
const LONG = 'tests/long/**'

/**
 * Three groups, one after the other: quick tests in parallel, each on its own database file and port; then timing, kills and
 * schedulers one at a time; with HEADRACE_LONG=1 the long ones instead of both.
 */
const quick = {
  ...shared,
  name: 'quick',
  include: ['tests/**/*.test.ts'],
  exclude: ['**/node_modules/**', SERIAL, LONG],
  maxWorkers: 2,
  sequence: { groupOrder: 0 },
}
const serial = {
  ...shared,
  name: 'serial',
  include: [SERIAL],
  exclude: ['**/node_modules/**', LONG],
  testTimeout: 120_000,
  maxWorkers: 1,
  fileParallelism: false,
  sequence: { groupOrder: 1 },
}
const long = {
  ...shared,
  name: 'long',
  include: ['tests/long/**/*.test.ts'],
  exclude: ['**/node_modules/**'],
  testTimeout: 900_000,
  maxWorkers: 1,
  fileParallelism: false,
}

export default defineConfig({
  test: {
    root,
    reporters: [new SkipReporter(), 'default'],
    projects: process.env.HEADRACE_LONG === '1' ? [{ test: long }] : [{ test: quick }, { test: serial }],
  },
})
