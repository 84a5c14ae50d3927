import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CommandResult } from '../../runner/schedulers/command.ts'
import { keepAccounting, storeAttempts } from '../../runner/slurm/store-attempts.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { independent, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { askedOf } from './app-client.ts'
import { askedFor, recordingOf, replay } from './recorded.ts'

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
  const [allocation] = askedFor('steps') as [string]
  const { stdout } = recordingOf('steps')
  const sacct = (text: string): CommandResult => ({ kind: 'exited', code: 0, stdout: text, stderr: '' })
  const noPause = async () => {}
  const accounts = (...steps: string[]) => ({ allocation, steps: new Set(steps) })
  const keptOf = async (workflowId: number) =>
    (await statsOf(workflowId)).map((row: { job_id: number; attempt_id: number }) => [row.job_id, row.attempt_id])

  test('keeps what sacct says of the steps of an allocation', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(5)))
    const keep = keepAccounting(accounts('hr_j1_r0_a1'), workflowId, askedOf(t), replay('steps'), noPause)
    expect(await keep).toBeUndefined()
    const kept = await keptOf(workflowId)
    // The sixth is not of this workflow.
    expect(kept.sort()).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [4, 1],
      [5, 1],
      [5, 2],
    ])
  })

  test('asks again while a step that has ended is not there, or not said to have ended', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
    const lines = stdout.split('\n')
    const own = lines.findIndex(line => line.includes('|hr_j1_r0_a1|'))
    const before = lines.slice(0, own)
    const answers = [before, [...before, lines[own]!.replace('COMPLETED', 'RUNNING')], lines].map(some =>
      some.join('\n'),
    )
    let asked = 0
    const run = async () => sacct(answers[asked++]!)
    expect(await keepAccounting(accounts('hr_j1_r0_a1'), workflowId, askedOf(t), run, noPause)).toBeUndefined()
    expect(asked).toBe(3)
    expect(await statsOf(workflowId)).toMatchObject([{ job_id: 1, max_rss_bytes: expect.any(Number) }])
  })

  test('keeps what there is when a step never comes up', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
    let pauses = 0
    const pause = async () => void pauses++
    expect(
      await keepAccounting(accounts('hr_j99_r0_a1'), workflowId, askedOf(t), replay('steps'), pause),
    ).toBeUndefined()
    expect(pauses).toBe(9)
    expect(await keptOf(workflowId)).toEqual([[1, 1]])
  })

  test('tells trouble as words: no accounting, no control plane', async () => {
    const keep = (workflowId: number, said: CommandResult) =>
      keepAccounting(accounts(), workflowId, askedOf(t), async () => said, noPause)
    expect(await keep(1, { kind: 'missing', message: 'no sacct' })).toBe('no sacct')
    expect(await keep(99, sacct(stdout))).toContain('not found')
  })
})
