import { expect, test } from 'vitest'
import { parsePlanConfig, policyOf } from '../../runner/allocate/config.ts'
import { planName, readPlanConfig } from '../../runner/allocate/options.ts'
import { imagineScheduler } from './imagined-scheduler.ts'

const HOUR = 3_600

/** The site has one queue whose limit is known, and arrays of 500. */
const scheduler = {
  ...imagineScheduler(() => 0),
  limits: async () => ({ arrayMost: 500, walltimeSeconds: { short: HOUR } }),
}

const read = (flags: Parameters<typeof readPlanConfig>[0]) =>
  readPlanConfig(flags, scheduler, {
    url: 'http://login1:8080/v1',
    caCert: undefined,
    cwd: '/scratch',
    site: { prologue: ['module load x'], directives: [] },
  })

test('readPlanConfig() reads what the user wants, and what the site allows, into what the control plane keeps', async () => {
  const config = await read({
    queue: 'short, long',
    walltime: '4h,00:30:00',
    'max-nodes': '20',
    'memory-gb': '1.5',
    'node-hours-per-day': '8',
    label: 'b,a',
    lease: '30s',
  })
  expect(config).toMatchObject({
    queues: [{ name: 'short', walltime_most_seconds: HOUR }, { name: 'long' }],
    walltimes_seconds: [1_800, 4 * HOUR],
    memory_bytes: 1.5 * 2 ** 30,
    array_most: 500,
    lease_seconds: 30,
    prologue: ['module load x'],
    output_dir: '/scratch/headrace_output',
  })
  const stored = parsePlanConfig(JSON.parse(JSON.stringify(config)))
  expect(stored).toEqual(JSON.parse(JSON.stringify(config)))
  expect(policyOf(stored!)).toMatchObject({ nodesMost: 20, requestMost: 20, nodeSecondsPerDay: 8 * HOUR })
  expect(parsePlanConfig({ scheduler: 'slurm' })).toBeUndefined()
})

test('policyOf() keeps requests within the arrays that the site takes', async () => {
  expect(policyOf(await read({ 'max-nodes': '1000' })).requestMost).toBe(500)
  expect(policyOf(await read({ 'max-nodes': '1000', 'array-most': '50' })).requestMost).toBe(50)
})

test.each([
  [{ walltime: 'soon' }, '--walltime'],
  [{ walltime: '1h,10s' }, 'current value is 10s'],
  [{ walltime: 'UNLIMITED' }, '--walltime'],
  [{ queue: 'short', walltime: '2h' }, 'the queues allow 3600 s at most'],
  [{ 'max-nodes': '0' }, '--max-nodes'],
  [{ 'min-nodes-per-request': '20' }, 'at most 10 are allowed'],
  [{ 'min-nodes-per-request': '3', 'max-nodes-per-request': '2' }, 'at most 2 are allowed'],
  [{ 'min-utilization': '2' }, 'from 0 to 1'],
  [{ 'num-cpus': '1.5' }, '--num-cpus'],
  [{ backlog: '-1' }, '--backlog'],
  [{ 'idle-exit': 'never' }, '--idle-exit'],
  [{ lease: '2h' }, '--lease'],
  [{ 'node-token-file': 'none' }, 'ENOENT'],
] as const)('readPlanConfig() refuses %j', async (flags, words) => {
  await expect(read(flags)).rejects.toThrow(words)
})

test('readPlanConfig() asks Grid Engine for enough that a runner starts at all', async () => {
  const sge = { ...scheduler, name: 'sge' as const }
  const surroundings = {
    url: 'http://a/v1',
    caCert: undefined,
    cwd: '/scratch',
    site: { prologue: [], directives: [] },
  }
  await expect(readPlanConfig({ 'memory-gb': '0.5' }, sge, surroundings)).rejects.toThrow('address space')
})

test('planName() takes what can stand in a path', () => {
  expect([planName(undefined), planName('gpu-1')]).toEqual(['default', 'gpu-1'])
  for (const bad of ['', 'a/b', '.hidden', 'a b', 'x'.repeat(65)]) expect(() => planName(bad)).toThrow('--plan')
})
