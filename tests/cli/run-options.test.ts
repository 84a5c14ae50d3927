import { describe, expect, test } from 'vitest'
import { parseRunOptions, type RunFlags } from '../../runner/run-options.ts'

const parse = (flags: Partial<RunFlags> = {}, env: NodeJS.ProcessEnv = {}) =>
  parseRunOptions({ target: 'flow.yaml', ...flags }, env, '/home/me')

describe('parseRunOptions()', () => {
  test('gives the defaults', () => {
    expect(parse()).toEqual({
      target: { kind: 'file', path: '/home/me/flow.yaml' },
      controlPlane: { kind: 'embedded', dbPath: '/home/me/headrace_output/headrace.db' },
      outputDir: '/home/me/headrace_output',
      durability: 'process',
      logLevel: 'info',
      capacity: { overcommit: false },
      strictSchedulerMatch: false,
      labels: [],
      skipChecks: false,
      known: 'continue',
      jobThreads: 1,
      leaseSeconds: 120,
      hashOutputs: false,
    })
  })

  test('takes digits for the id of a workflow, and a path of digits for a file', () => {
    expect(parse({ target: '12' }).target).toEqual({ kind: 'workflow', id: 12 })
    expect(parse({ target: './12' }).target).toEqual({ kind: 'file', path: '/home/me/12' })
  })

  test('reads the capacity in the units of the code', () => {
    const flags = { 'num-cpus': '4', 'memory-gb': '1.5', 'num-gpus': '0', 'max-parallel-jobs': '2', overcommit: true }
    expect(parse(flags).capacity).toEqual({ cpus: 4, memoryBytes: 1.5 * 2 ** 30, gpus: 0, slots: 2, overcommit: true })
  })

  test('keeps labels as a sorted set', () => {
    expect(parse({ labels: ['gpu, big', 'big'] }).labels).toEqual(['big', 'gpu'])
    expect(() => parse({ labels: ['a,,b'] })).toThrow('a label is empty')
  })

  test('finds the server in --url, then HEADRACE_API_URL, then TORC_API_URL', () => {
    const env = {
      HEADRACE_API_URL: 'http://ours:1',
      TORC_API_URL: 'http://theirs:2/torc-service/v1/',
      HEADRACE_TOKEN: 't',
    }
    const address = (flags: Partial<RunFlags>, given: NodeJS.ProcessEnv) => parse(flags, given).controlPlane
    expect(address({ url: 'http://flag:3/v1' }, env)).toEqual({
      kind: 'server',
      address: { baseUrl: 'http://flag:3/v1', token: 't' },
    })
    expect(address({}, env)).toMatchObject({ address: { baseUrl: 'http://ours:1/v1' } })
    expect(address({}, { TORC_API_URL: env.TORC_API_URL })).toMatchObject({
      address: { baseUrl: 'http://theirs:2/torc-service/v1' },
    })
  })

  test('uses the local database of --db whatever the environment says', () => {
    const { controlPlane } = parse({ db: 'my.db' }, { HEADRACE_API_URL: 'http://ours:1' })
    expect(controlPlane).toEqual({ kind: 'embedded', dbPath: '/home/me/my.db' })
  })

  test.each<[Partial<RunFlags>, string]>([
    [{ target: '' }, 'is empty'],
    [{ target: '0' }, 'the workflow id'],
    [{ url: 'localhost:8080' }, 'must start with http:// or https://: current value is localhost:8080'],
    [{ url: 'http://a', db: 'b' }, 'both --url and --db'],
    [{ new: true, 'retry-failed': true }, 'both --new and --retry-failed'],
    [{ target: '3', new: true }, 'Cannot run workflow 3 with --new'],
    [{ durability: 'disk' }, '--durability as it must be process or power'],
    [{ 'max-parallel-jobs': '0' }, '--max-parallel-jobs'],
    [{ 'num-cpus': 'many' }, '--num-cpus'],
    [{ 'num-gpus': '-1' }, '--num-gpus'],
    [{ 'memory-gb': '0' }, '--memory-gb'],
    [{ 'time-limit': 'soon' }, '--time-limit'],
    [{ 'scheduler-config-id': 'x' }, '--scheduler-config-id'],
    [{ 'end-time': 'tomorrow' }, '--end-time as it must be a moment'],
    [{ 'idle-exit': '5' }, '--idle-exit'],
    [{ lease: '60' }, '--lease as it must be a duration'],
    [{ lease: '14s' }, '--lease as it must be from 15s to 1h: current value is 14s'],
    [{ lease: '1h1s' }, '--lease as it must be from 15s to 1h'],
    [{ 'log-level': 'all' }, '--log-level as it must be debug or info'],
  ])('refuses %j', (flags, message) => {
    expect(() => parse(flags)).toThrow(message)
  })

  test('reads --end-time, --idle-exit and --log-level', () => {
    const flags = { 'end-time': '2026-11-21T18:00:00+01:00', 'idle-exit': '1m', 'log-level': 'debug' }
    const endTimeMs = Date.UTC(2026, 10, 21, 17)
    expect(parse(flags)).toMatchObject({ endTimeMs, idleExitSeconds: 60, logLevel: 'debug' })
  })

  test('reads --lease, which is two minutes unless given', () => {
    expect(parse({}).leaseSeconds).toBe(120)
    expect(parse({ lease: '15s' }).leaseSeconds).toBe(15)
    expect(parse({ lease: 'PT1H' }).leaseSeconds).toBe(3600)
  })

  test('reads --new, --retry-failed and --time-limit', () => {
    expect(parse({ new: true }).known).toBe('new')
    expect(parse({ 'retry-failed': true, 'time-limit': '2m' })).toMatchObject({
      known: 'retry-failed',
      timeLimitSeconds: 120,
    })
  })
})
