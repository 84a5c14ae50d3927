import { describe, expect, test } from 'vitest'
import { jobEnvironment, shellText } from '../../runner/job-environment.ts'
import type { ClaimedJob } from '../../runner/wire.ts'

const facts = {
  workflowId: 1,
  apiUrl: 'http://127.0.0.1:1/v1',
  outputDir: '/out',
  runId: 3,
  submissionDirectory: '/home/u',
}

const jobWith = (fields: Partial<ClaimedJob>): ClaimedJob => ({
  id: 2,
  workflow_id: 1,
  name: 'first',
  command: 'true',
  status: 'running',
  attempt_id: 4,
  claim_token: 't',
  claimed_at: 0,
  resource_requirements: { num_cpus: 1, num_gpus: 0, memory_bytes: 0, runtime_seconds: 60 },
  ...fields,
})

describe('jobEnvironment()', () => {
  test('tells a job who and where it is', () => {
    expect(jobEnvironment(jobWith({}), [], facts)).toMatchObject({
      TORC_WORKFLOW_ID: '1',
      TORC_JOB_ID: '2',
      TORC_JOB_NAME: 'first',
      TORC_ATTEMPT_ID: '4',
      TORC_RUN_ID: '3',
      TORC_OUTPUT_DIR: '/out',
      TORC_API_URL: 'http://127.0.0.1:1/v1',
      TORC_WORKFLOW_SUBMISSION_DIR: '/home/u',
    })
  })

  test("takes the runner's credentials away", () => {
    const none = { HEADRACE_TOKEN: null, HEADRACE_TOKEN_FILE: null, HEADRACE_DB_TOKEN: null, TORC_PASSWORD: null }
    expect(jobEnvironment(jobWith({}), [], facts)).toMatchObject(none)
  })

  test('gives a job the token of its workflow, where there is one, in the two places clients look at', () => {
    const job = jobWith({ env: { HEADRACE_TOKEN: 'its own' } })
    expect(jobEnvironment(job, [], { ...facts, jobToken: 'hr_1_x' })).toMatchObject({
      HEADRACE_TOKEN: 'hr_1_x',
      HEADRACE_TOKEN_FILE: null,
      TORC_PASSWORD: 'hr_1_x',
    })
  })

  test("lets the job's map win over inherited variables, but not over those of the service", () => {
    const env = jobEnvironment(jobWith({ env: { COLOUR: 'red', TORC_JOB_ID: '99' } }), [], facts)
    expect(env).toMatchObject({ COLOUR: 'red', TORC_JOB_ID: '2' })
  })

  test('names the GPUs in all four variables, over the map, and in none without GPUs', () => {
    const job = jobWith({
      env: { CUDA_VISIBLE_DEVICES: '7' },
      resource_requirements: { num_cpus: 1, num_gpus: 2, memory_bytes: 0, runtime_seconds: 60 },
    })
    const env = jobEnvironment(job, ['0', '3'], facts)
    for (const maker of ['CUDA', 'HIP', 'ROCR', 'TORC_GPU']) expect(env[`${maker}_VISIBLE_DEVICES`]).toBe('0,3')
    expect(Object.keys(jobEnvironment(jobWith({}), [], facts)).filter(name => name.endsWith('DEVICES'))).toEqual([])
  })
})

describe('shellText()', () => {
  test.each([
    [undefined, 'cmd'],
    ['  \n ', 'cmd'],
    ['  srun -n 4 ', 'srun -n 4 cmd'],
    ['module load x\nset -e\n\n', 'module load x\nset -e\ncmd'],
  ])('with the invocation script %j is %j', (script, text) => {
    expect(shellText('cmd', script)).toBe(text)
  })
})
