import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openSite } from '../scenarios-runner/site.ts'

test('--max-log-size keeps the beginning and the end of a large log, and smaller ones whole', async () => {
  const site = openSite(`
name: talkative
jobs:
  - { name: loud, command: "echo first; seq 1000000; echo last; seq 100 >&2" }
  - { name: endless, command: "echo first; timeout 1.3 yes; echo last" }
`)
  await site.runTo(0, ['run', 'workflow.yaml', '--max-log-size', '64k'])
  const log = (name: string): string => readFileSync(site.path(`headrace_output/job_stdio/${name}`), 'utf8')
  for (const job of ['j1', 'j2']) {
    const text = log(`job_wf1_${job}_r0_a1.o`)
    expect(text.length).toBeLessThanOrEqual(65_536 + 100)
    expect(text).toMatch(/^first\n/)
    expect(text).toMatch(/last\n$/)
    expect(text).toMatch(/\n\[headrace: \d+ bytes are left out here\]\n/)
    expect(text).not.toContain('\0')
  }
  expect(log('job_wf1_j1_r0_a1.e').split('\n')).toHaveLength(101)
})

test('a run with a series of jobs and of its node leaves it beside the logs, and results --phases tells where time went', async () => {
  const site = openSite(`
name: measured
resource_monitor:
  sample_interval_seconds: 1
  jobs: { enabled: true, granularity: time_series }
  compute_node: { enabled: true }
jobs:
  - { name: busy, command: "timeout 2.4 bash -c 'while true; do true; done' || true" }
`)
  await site.runTo(0, ['run', 'workflow.yaml'])
  const [result] = await site.rows<Record<string, number>>('SELECT * FROM result')
  expect(result!.peak_cpu_percent).toBeGreaterThanOrEqual(result!.avg_cpu_percent!)
  expect(result!.avg_memory_bytes).toBeLessThanOrEqual(result!.peak_memory_bytes!)
  expect(await site.rows('SELECT sample_count > 0 AS sampled FROM compute_node')).toEqual([{ sampled: 1 }])
  const { stdout } = await site.runTo(0, ['results', '1', '--phases', '--format', 'json'])
  const { items, runners } = JSON.parse(stdout)
  expect(items[0].phases.running_seconds).toBeGreaterThan(1)
  expect(runners).toMatchObject([{ attempts: 1, busy: 1, hostname: expect.any(String) }])
  const table = await site.runTo(0, ['results', '1', '--phases'])
  expect(table.stdout).toMatch(/QUEUED +LAUNCHING +RUNNING +REPORTING +TOTAL/)
  expect(existsSync(site.path('headrace_output/resource_utilization'))).toBe(true)
})
