import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CommandResult } from '../../runner/schedulers/command.ts'
import { keepAccounting, storeAttempts } from '../../runner/slurm/store-attempts.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { independent, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { askedOf } from './app-client.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(() => t.close())

const statsOf = async (workflowId: number) => (await t.get(`/slurm_stats?workflow_id=${workflowId}`)).body.items

describe('storeAttempts()', () => {
  test('keeps a record for each attempt, replaces it the next time, and passes over jobs that are gone', async () => {
    const { workflowId, jobs } = await startWorkflow(t, workflowOf(independent(1)))
    const usage = { jobId: jobs[0]!, runId: 0, attemptId: 1, allocation: '77', maxRssBytes: 5 }
    const gone = { ...usage, jobId: 999 }
    expect(await storeAttempts([usage, gone], workflowId, askedOf(t))).toBe(1)
    await storeAttempts([{ ...usage, maxRssBytes: 7, nodeList: 'n1' }], workflowId, askedOf(t))
    expect(await statsOf(workflowId)).toMatchObject([{ slurm_job_id: '77', max_rss_bytes: 7, node_list: 'n1' }])
  })

  test('asks nothing when there is nothing to keep', async () => {
    const asked = { client: { request: () => Promise.reject(new Error('asked')), close: async () => {} }, where: '' }
    expect(await storeAttempts([], 1, asked)).toBe(0)
  })
})

describe('keepAccounting()', () => {
  const keep = (workflowId: number, sacct: CommandResult) =>
    keepAccounting('4711', workflowId, askedOf(t), async () => sacct)
  const sample = readFileSync(new URL('samples/sacct.txt', import.meta.url), 'utf8')

  test('keeps what sacct says of the steps of an allocation', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(20)))
    const only = sample.split('\n').filter(line => line.startsWith('4711'))
    const said: CommandResult = { kind: 'exited', code: 0, stdout: only.join('\n'), stderr: '' }
    expect(await keep(workflowId, said)).toBeUndefined()
    const kept = (await statsOf(workflowId)).map((row: { job_id: number; attempt_id: number }) => [
      row.job_id,
      row.attempt_id,
    ])
    expect(kept).toEqual([
      [17, 1],
      [18, 2],
    ])
  })

  test('tells trouble as words: no accounting, no control plane', async () => {
    expect(await keep(1, { kind: 'missing', message: 'no sacct' })).toBe('no sacct')
    const said: CommandResult = { kind: 'exited', code: 0, stdout: sample, stderr: '' }
    expect(await keep(99, said)).toContain('not found')
  })
})
