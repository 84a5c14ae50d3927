import { defineConfig } from 'vitest/config'
import { SkipReporter } from './helpers/skip-reporter.ts'

const root = new URL('..', import.meta.url).pathname
const shared = {
  root,
  testTimeout: 30_000,
  hookTimeout: 60_000,
  pool: 'forks' as const,
  maxConcurrency: 50,
  globalSetup: ['tests/helpers/program.ts', 'tests/helpers/templates.ts'],
}
const SERIAL = 'tests/**/*.serial.test.ts'
const LONG = 'tests/long/**'
/** These test what HEADRACE_TARGET names, and nothing without it. */
const CONFORMANCE = 'tests/conformance/**'

/** Tests of the database and what stands on it, except those that are about a file, or have a server of their own anyway. */
const OVER_SQLD = ['tests/db/**/*.test.ts', 'tests/api/**/*.test.ts', 'tests/scenarios/**/*.test.ts']
const ONCE = [
  'tests/db/{plans,list-plans,open-remote,round-trips,alongside}.test.ts',
  'tests/api/{node,ownership,database-server,openapi,trust,transport,unavailable,dialect}.test.ts',
  'tests/api/entries/**',
  'tests/api/node/**',
  'tests/api/limits/rate.test.ts',
  'tests/api/tokens/{attack,leaks}.test.ts',
  'tests/api/access-{admission,htpasswd,passwords,server,sql}.test.ts',
  'tests/scenarios/restart.test.ts',
]

/**
 * First, in parallel, the quick tests, each on its own database file and port, and those of the database once more, over a libSQL server; then
 * timing, kills and schedulers one at a time. With HEADRACE_LONG=1 the long ones instead of all.
 */
const quick = {
  ...shared,
  name: 'quick',
  include: ['tests/**/*.test.ts'],
  exclude: ['**/node_modules/**', SERIAL, LONG, CONFORMANCE],
  maxWorkers: 3,
  // What all of them import is read once by each worker.
  isolate: false,
  sequence: { groupOrder: 0 },
}
const sqld = {
  ...quick,
  name: 'sqld',
  include: OVER_SQLD,
  exclude: [...quick.exclude, ...ONCE],
  env: { HEADRACE_TEST_DB: 'sqld' },
  testTimeout: 60_000,
}
const serial = {
  ...shared,
  name: 'serial',
  include: [SERIAL],
  exclude: ['**/node_modules/**', LONG],
  testTimeout: 120_000,
  maxWorkers: 1,
  fileParallelism: false,
  sequence: { groupOrder: 2 },
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

/** Every kind of control plane as it is deployed, the one that HEADRACE_TARGET names: see scripts/conformance.sh. */
const conformance = {
  ...shared,
  name: 'conformance',
  include: [`${CONFORMANCE}/*.test.ts`],
  exclude: ['**/node_modules/**'],
  globalSetup: ['tests/conformance/setup.ts'],
  maxWorkers: 2,
  testTimeout: 60_000,
}

function projects() {
  if (process.env.HEADRACE_TARGET !== undefined) return [{ test: conformance }]
  if (process.env.HEADRACE_LONG === '1') return [{ test: long }]
  return [{ test: quick }, { test: sqld }, { test: serial }]
}

export default defineConfig({
  test: {
    root,
    reporters: [new SkipReporter(), 'default'],
    projects: projects(),
  },
})
