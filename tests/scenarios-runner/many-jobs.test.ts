import { expect, test } from 'vitest'
import { launcherKinds } from '../helpers/launcher-kinds.ts'
import { mostCpus, type Span } from './most-cpus.ts'
import { openSite } from './site.ts'

test.each(launcherKinds())(
  'runner run with the %s launcher completes 2,000 quick jobs, each once',
  async kind => {
    const site = openSite(`
name: many
jobs: [{ name: 'job_{i}', command: 'echo {i} >> ran', parameters: { i: '1:2000' } }]
execution_config: { stdio: { mode: none } }
`)
    const { code, stdout } = await site.run(['run', 'workflow.yaml', '-j', '2'], { HEADRACE_LAUNCHER: kind })
    expect(stdout).toContain('all 2,000 jobs completed')
    expect(code).toBe(0)
    const results = await site.rows<Span & { job_id: number }>(
      'SELECT job_id, 1 AS cpus, launched_at, exited_at FROM result',
    )
    expect(new Set(results.map(({ job_id }) => job_id)).size).toBe(2000)
    expect(results).toHaveLength(2000)
    expect(mostCpus(results)).toBeLessThanOrEqual(2)
  },
  120_000,
)

test.each(launcherKinds())(
  'runner run with the %s launcher never runs more than two cores of jobs on two cores',
  async kind => {
    const site = openSite(`
name: cores
resource_requirements:
  - { name: one, num_cpus: 1, memory: 1m, runtime: PT1M }
  - { name: two, num_cpus: 2, memory: 1m, runtime: PT1M }
jobs:
  - { name: 'small_{i}', command: 'sleep 0.00$(({i} % 4))', resource_requirements: one, parameters: { i: '1:300' } }
  - { name: 'large_{i}', command: 'true', resource_requirements: two, parameters: { i: '1:60' } }
  - { name: 'slow_{i}', command: 'sleep 0.2', resource_requirements: one, parameters: { i: '1:6' } }
`)
    const words = ['run', 'workflow.yaml', '--num-cpus', '2', '--overcommit']
    await site.runTo(0, words, { HEADRACE_LAUNCHER: kind })
    const spans = await site.rows<Span>(`
    SELECT CASE WHEN job_id BETWEEN 301 AND 360 THEN 2 ELSE 1 END AS cpus, launched_at, exited_at FROM result`)
    expect(spans).toHaveLength(366)
    expect(mostCpus(spans)).toBe(2)
  },
  120_000,
)
