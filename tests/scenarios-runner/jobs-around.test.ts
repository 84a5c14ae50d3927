import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openSite, type Site } from './site.ts'

const RUN = ['run', 'workflow.yaml', '-j', '2']
const logsOf = (site: Site): string[] => readdirSync(site.path('headrace_output/job_stdio')).sort()
const logOf = (site: Site, name: string): string => readFileSync(site.path(`headrace_output/job_stdio/${name}`), 'utf8')
const textOf = (site: Site, name: string): string => readFileSync(site.path(name), 'utf8')

test('S20 a job that exits 0 without its declared output fails with class no_output and return code 1', async () => {
  const site = openSite(`
name: promise
files: [{ name: made, path: made.txt }, { name: missing, path: missing.txt }]
jobs:
  - { name: keeps, command: 'touch \${files.output.made}' }
  - { name: breaks, command: 'true', output_files: [missing] }
`)
  await site.runTo(1, RUN)
  const results = await site.rows('SELECT job_id, return_code, failure_class FROM result ORDER BY job_id')
  expect(results).toEqual([
    { job_id: 1, return_code: 0, failure_class: null },
    { job_id: 2, return_code: 1, failure_class: 'no_output' },
  ])
})

describe('the output of jobs', () => {
  test('goes to the files that the mode names', async () => {
    const modes = ['separate', 'combined', 'no_stdout', 'no_stderr', 'none']
    const jobs = modes.map(mode => `  - { name: ${mode}, command: echo out; echo err >&2, stdio: { mode: ${mode} } }`)
    const site = openSite(`name: modes\njobs:\n${jobs.join('\n')}\n`)
    await site.runTo(0, RUN)
    const stem = (job: number): string => `job_wf1_j${job}_r0_a1`
    expect(logsOf(site)).toEqual([`${stem(1)}.e`, `${stem(1)}.o`, `${stem(2)}.log`, `${stem(3)}.e`, `${stem(4)}.o`])
    expect(logOf(site, `${stem(1)}.o`)).toBe('out\n')
    expect(logOf(site, `${stem(1)}.e`)).toBe('err\n')
    expect(logOf(site, `${stem(2)}.log`)).toBe('out\nerr\n')
    expect(logOf(site, `${stem(3)}.e`)).toBe('err\n')
    expect(logOf(site, `${stem(4)}.o`)).toBe('out\n')
  })

  test('is deleted after a success with delete_on_success, and kept after a failure', async () => {
    const site = openSite(`
name: tidy
execution_config: { stdio: { mode: separate, delete_on_success: true } }
jobs:
  - { name: good, command: echo good }
  - { name: bad, command: echo bad; exit 4 }
  - { name: own, command: echo own, stdio: { mode: separate } }
`)
    await site.runTo(1, RUN)
    const stem = (job: number): string => `job_wf1_j${job}_r0_a1`
    expect(logsOf(site)).toEqual([`${stem(2)}.e`, `${stem(2)}.o`, `${stem(3)}.e`, `${stem(3)}.o`])
  })
})

describe('a job', () => {
  test('sees its own variables, those of the service, and none of our credentials', async () => {
    const site = openSite(`
name: variables
env: { FROM_WORKFLOW: w, BOTH: workflow }
jobs:
  - { name: looks, command: env -0 > seen, env: { FROM_JOB: "two\\nlines", BOTH: job, TORC_JOB_ID: '99', EMPTY: '' } }
`)
    await site.runTo(0, RUN, { INHERITED: 'yes', HEADRACE_TOKEN: 'secret', TORC_PASSWORD: 'secret' })
    const seen = Object.fromEntries(
      textOf(site, 'seen')
        .split('\0')
        .map(entry => entry.split(/=(.*)/s).slice(0, 2)),
    )
    expect(seen).toMatchObject({
      INHERITED: 'yes',
      FROM_WORKFLOW: 'w',
      FROM_JOB: 'two\nlines',
      BOTH: 'job',
      EMPTY: '',
      TORC_WORKFLOW_ID: '1',
      TORC_JOB_ID: '1',
      TORC_JOB_NAME: 'looks',
      TORC_ATTEMPT_ID: '1',
      TORC_RUN_ID: '0',
      TORC_OUTPUT_DIR: realpathSync(site.path('headrace_output')),
      TORC_WORKFLOW_SUBMISSION_DIR: realpathSync(site.directory),
    })
    expect(seen.TORC_API_URL).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/torc-service\/v1$/)
    expect(Object.values(seen)).not.toContain('secret')
  })

  test('reaches the API under TORC_API_URL while it runs', async () => {
    const ask = `node -e 'fetch(process.env.TORC_API_URL + "/jobs/" + process.env.TORC_JOB_ID).then(r => r.json()).then(j => console.log(j.name, j.status))'`
    const site = openSite(`name: asks\njobs:\n  - name: curious\n    command: |\n      ${ask}\n`)
    await site.runTo(0, RUN)
    expect(logOf(site, 'job_wf1_j1_r0_a1.o')).toBe('curious running\n')
  })

  test('is wrapped by an invocation script of one line and preceded by one of several', async () => {
    const site = openSite(`
name: invocations
jobs:
  - { name: wrapped, command: echo inner, invocation_script: 'env WRAPPED=1 bash -c ''echo "$WRAPPED $*"'' --' }
  - { name: preceded, command: echo "$READY", invocation_script: "set -u\\nREADY=yes\\n" }
  - { name: blank, command: echo plain, invocation_script: '  ' }
`)
    await site.runTo(0, RUN)
    const out = [1, 2, 3].map(job => logOf(site, `job_wf1_j${job}_r0_a1.o`))
    expect(out).toEqual(['1 echo inner\n', 'yes\n', 'plain\n'])
  })

  test("starts in the runner's directory, or in its own cwd, from where its outputs count", async () => {
    const site = openSite(`
name: places
files: [{ name: here, path: here.txt }, { name: there, path: there.txt }]
jobs:
  - { name: plain, command: 'pwd > \${files.output.here}' }
  - { name: moved, command: 'pwd > \${files.output.there}', cwd: sub }
`)
    mkdirSync(site.path('sub'))
    await site.runTo(0, RUN)
    expect(textOf(site, 'here.txt').trim()).toBe(realpathSync(site.directory))
    expect(textOf(site, 'sub/there.txt').trim()).toBe(realpathSync(site.path('sub')))
  })

  test('that cannot be started fails with class spawn_error', async () => {
    const site = openSite("name: nowhere\njobs: [{ name: lost, command: 'true' }, { name: other, command: 'true' }]")
    // Where its output should go is a directory.
    mkdirSync(site.path('headrace_output/job_stdio/job_wf1_j1_r0_a1.o'), { recursive: true })
    await site.runTo(1, RUN)
    expect(await site.rows('SELECT job_id, failure_class FROM result ORDER BY job_id')).toEqual([
      { job_id: 1, failure_class: 'spawn_error' },
      { job_id: 2, failure_class: null },
    ])
  })

  test('is ended at its time limit', async () => {
    const site = openSite('name: slow\njobs: [{ name: sleeps, command: sleep 300, time_limit: PT1S }]')
    await site.runTo(1, RUN)
    expect(await site.rows('SELECT return_code, failure_class FROM result')).toEqual([
      { return_code: 152, failure_class: 'timeout' },
    ])
  })
})

test('jobs of one GPU each never see the same device at the same time', async () => {
  const site = openSite(`
name: gpus
resource_requirements: [{ name: gpu, num_cpus: 1, num_gpus: 1, memory: 1m, runtime: PT1M }]
jobs:
  - name: uses_{i}
    parameters: { i: '1:24' }
    resource_requirements: gpu
    command: |
      mkdir lock_$CUDA_VISIBLE_DEVICES || exit 5
      sleep 0.05
      rmdir lock_$CUDA_VISIBLE_DEVICES
      echo $CUDA_VISIBLE_DEVICES $HIP_VISIBLE_DEVICES $ROCR_VISIBLE_DEVICES $TORC_GPU_VISIBLE_DEVICES >> used
  - { name: none, command: 'echo "\${CUDA_VISIBLE_DEVICES-unset}" > without' }
`)
  const words = ['run', 'workflow.yaml', '--num-cpus', '4', '--overcommit', '--num-gpus', '2']
  await site.runTo(0, words)
  const used = textOf(site, 'used').trim().split('\n')
  expect(used).toHaveLength(24)
  expect([...new Set(used)].sort()).toEqual(['0 0 0 0', '1 1 1 1'])
  expect(textOf(site, 'without')).toBe('unset\n')
  expect(existsSync(site.path('lock_0')) || existsSync(site.path('lock_1'))).toBe(false)
})
