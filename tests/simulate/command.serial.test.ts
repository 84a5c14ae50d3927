import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSite } from '../scenarios-runner/site.ts'

const WORKFLOW = `
name: pretended
resource_requirements: [{ name: short, num_cpus: 1, memory: 1m, runtime: PT1S }]
files: [{ name: made, path: made }]
jobs:
  - { name: 'job_{i}', command: 'touch ran_{i}', resource_requirements: short, parameters: { i: '1:20' } }
  - { name: last, command: 'touch made', resource_requirements: short, output_files: [made], depends_on: [job_1] }
`

test('runner run --simulate completes every job without a process, files or logs', async () => {
  const site = openSite(WORKFLOW)
  const words = [
    'run',
    'workflow.yaml',
    '-j',
    '4',
    '--simulate',
    '--simulate-time',
    'uniform=0.01..0.05',
    '--seed',
    '2',
  ]
  const { stdout, stderr } = await site.runTo(0, words)
  expect(stdout).toContain('all 21 jobs completed')
  expect(stderr).toContain('A trial: no process runs; --seed 2 gives the same chances again')
  expect(
    ['ran_1', 'made', 'headrace_output/job_stdio/job_wf1_j1_r0_a1.o'].filter(name => existsSync(site.path(name))),
  ).toEqual([])
  const times = await site.rows<{ minutes: number }>('SELECT exec_time_minutes AS minutes FROM result')
  expect(new Set(times.map(({ minutes }) => minutes)).size).toBeGreaterThan(3)
})

test('runner run --simulate takes the time of a job from its runtime, and faults go with it', async () => {
  const site = openSite(WORKFLOW)
  const words = ['run', 'workflow.yaml', '-j', '30', '--simulate', '--fault', 'fail-job=1']
  await site.runTo(1, words)
  await site.runTo(0, ['run', 'workflow.yaml', '-j', '30', '--new', '--simulate'])
  const rows = await site.rows<{ workflow_id: number; code: number; seconds: number }>(
    'SELECT workflow_id, return_code AS code, 60 * exec_time_minutes AS seconds FROM result',
  )
  expect(new Set(rows.filter(row => row.workflow_id === 1).map(({ code }) => code))).toEqual(new Set([1]))
  for (const { seconds } of rows.filter(row => row.workflow_id === 2)) expect(seconds).toBeGreaterThanOrEqual(0.9)
})
