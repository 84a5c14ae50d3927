import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { launcherKinds, usualLauncher } from '../helpers/launcher-kinds.ts'
import { openSite } from '../scenarios-runner/site.ts'

type Result = { name: string; return_code: number; failure_class: string | null; peak_memory_bytes: number | null }

const RESULTS = `SELECT t.name, r.return_code, r.failure_class, r.peak_memory_bytes
  FROM result r JOIN job_text t ON t.id = r.job_id ORDER BY r.job_id`

const MIB = 2 ** 20

/** One job that holds 80 MiB for longer than it takes to look, and asks for less. */
const greedy = (config: string, seconds = 1.4): string => `
name: greedy
execution_config: ${config}
resource_requirements:
  - { name: little, num_cpus: 1, memory: 40m, runtime: PT1M }
jobs:
  - { name: greedy, command: "head -c 80M /dev/zero | tail -n 1 | sleep ${seconds}", resource_requirements: little }
`

test.each(launcherKinds())(
  'S25 a job that holds more memory than it asked for ends as oom, with the %s launcher',
  async kind => {
    const site = openSite(greedy('{ oom_exit_code: 77 }', 60))
    const { stderr } = await site.runTo(1, ['run', 'workflow.yaml'], { HEADRACE_LAUNCHER: kind })
    expect(stderr).toMatch(/Job greedy \(1\) is ended .*: \d+ MiB used, 40 MiB asked/)
    const [result] = await site.rows<Result>(RESULTS)
    expect(result).toMatchObject({ return_code: 77, failure_class: 'oom' })
    expect(result!.peak_memory_bytes).toBeGreaterThan(40 * MIB)
  },
)

test.each([
  ['limit_resources is false', greedy('{ limit_resources: false }'), []],
  ['requirements are ignored', greedy('{ limit_resources: true }'), ['-j', '1']],
  ['it has none of its own', greedy('{}').replace(', resource_requirements: little', ''), []],
])('a job may hold any memory where %s', async (_, workflow, words) => {
  const site = openSite(workflow)
  await site.runTo(0, ['run', 'workflow.yaml', ...words])
})

test.each([usualLauncher, 'shell'] as const)(
  '--bind-to core keeps jobs to cores of their own, with the %s launcher',
  async kind => {
    const site = openSite(`
name: bound
resource_requirements:
  - { name: one, num_cpus: 1, memory: 10m, runtime: PT1M }
jobs:
  - name: job_{i}
    command: "sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status >cores_{i}; touch up_{i}; until [ -e up_{j} ]; do sleep 0.01; done"
    parameters: { i: [1, 2], j: [2, 1] }
    parameter_mode: zip
    resource_requirements: one
`)
    await site.runTo(0, ['run', 'workflow.yaml', '--bind-to', 'core', '--num-cpus', '2'], { HEADRACE_LAUNCHER: kind })
    const [first, second] = [1, 2].map(i => readFileSync(site.path(`cores_${i}`), 'utf8').trim())
    expect([first, second].every(cores => /^\d+$/.test(cores!))).toBe(true)
    expect(first).not.toBe(second)
  },
)

test('--bind-to is refused with the words it takes', async () => {
  const { stderr } = await openSite('').runTo(2, ['run', 'workflow.yaml', '--bind-to', 'socket'])
  expect(stderr).toContain('Cannot read --bind-to as it must be core or none: current value is socket')
})

test.each([usualLauncher, 'shell'] as const)(
  'no GPU is seen by two jobs at any moment, with the %s launcher',
  async kind => {
    const site = openSite(`
name: gpus
resource_requirements:
  - { name: one, num_cpus: 1, num_gpus: 1, memory: 10m, runtime: PT1M }
  - { name: both, num_cpus: 1, num_gpus: 2, memory: 10m, runtime: PT1M }
  - { name: none, num_cpus: 1, memory: 10m, runtime: PT1M }
jobs:
  - name: one_{i}
    parameters: { i: "1:24" }
    resource_requirements: one
    command: &hold |
      test "$CUDA_VISIBLE_DEVICES" = "$HIP_VISIBLE_DEVICES" && test "$CUDA_VISIBLE_DEVICES" = "$ROCR_VISIBLE_DEVICES" || exit 1
      for gpu in \${CUDA_VISIBLE_DEVICES//,/ }; do mkdir gpu_$gpu || exit 1; done
      echo $CUDA_VISIBLE_DEVICES >>seen
      sleep 0.0$((RANDOM % 4))
      for gpu in \${CUDA_VISIBLE_DEVICES//,/ }; do rmdir gpu_$gpu; done
  - { name: "both_{i}", parameters: { i: "1:6" }, resource_requirements: both, command: *hold }
  - { name: "none_{i}", parameters: { i: "1:12" }, resource_requirements: none, command: "true" }
`)
    await site.runTo(0, ['run', 'workflow.yaml', '--num-gpus', '2', '--num-cpus', '8', '--overcommit'], {
      HEADRACE_LAUNCHER: kind,
    })
    const seen = readFileSync(site.path('seen'), 'utf8').trim().split('\n')
    expect(seen).toHaveLength(30)
    expect(new Set(seen)).toEqual(new Set(['0', '1', '0,1']))
  },
)
