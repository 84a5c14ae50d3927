import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type SummaryContext, summarize } from '../../runner/run-summary.ts'
import { createFakeClient } from './fake-client.ts'

let outputDir: string
beforeEach(() => {
  outputDir = mkdtempSync(join(tmpdir(), 'headrace-summary-'))
  mkdirSync(join(outputDir, 'job_stdio'))
})
afterEach(() => rmSync(outputDir, { recursive: true }))

type FailedRow = { id: number; name: string; status: string }

/** A workflow whose jobs ended like this, each with return code 3. */
function contextWith(jobs: readonly FailedRow[], fields: Partial<SummaryContext> = {}): SummaryContext {
  const { client } = createFakeClient((_, path) => {
    const query = new URL(path, 'http://h').searchParams
    if (path.endsWith('/summary')) {
      const counts = Object.fromEntries(
        jobs.map(({ status }) => [status, jobs.filter(j => j.status === status).length]),
      )
      return { workflow_id: 1, name: 'w', run_id: 2, jobs_by_status: counts }
    }
    if (path.startsWith('/jobs')) {
      const items = jobs.filter(({ status }) => status === query.get('status')).slice(0, Number(query.get('limit')))
      return { items }
    }
    return { items: [{ run_id: 2, attempt_id: 1, return_code: 3, failure_class: 'exit_code' }] }
  })
  const usual = { wallSeconds: 1, end: 'complete', timeUp: false, unrunnable: [], stdio: {} } as const
  return { client, outputDir, ...usual, ...fields }
}

const logPath = (id: number, ending: string): string => join(outputDir, 'job_stdio', `job_wf1_j${id}_r2_a1.${ending}`)

const failed = (id: number, status = 'failed'): FailedRow => ({ id, name: `job ${id}`, status })

describe('summarize()', () => {
  test('shows the last five lines of a failed job, of standard error before standard output', async () => {
    writeFileSync(logPath(1, 'e'), 'a\nb\nc\nd\ne\nf\n')
    writeFileSync(logPath(1, 'o'), 'out\n')
    const [shown] = (await summarize(1, contextWith([failed(1)]))).failed
    expect(shown).toEqual({
      jobId: 1,
      name: 'job 1',
      status: 'failed',
      returnCode: 3,
      failureClass: 'exit_code',
      logPaths: [logPath(1, 'e'), logPath(1, 'o')],
      tail: ['b', 'c', 'd', 'e', 'f'],
    })
  })

  test('shows standard output first when standard error is empty, and no lines when both are', async () => {
    for (const id of [1, 2]) writeFileSync(logPath(id, 'e'), '')
    writeFileSync(logPath(1, 'o'), 'why\n')
    writeFileSync(logPath(2, 'o'), '')
    const [first, second] = (await summarize(1, contextWith([failed(1), failed(2)]))).failed
    expect(first).toMatchObject({ logPaths: [logPath(1, 'o'), logPath(1, 'e')], tail: ['why'] })
    expect(second!.tail).toEqual([])
  })

  test('reads only the end of a huge log', async () => {
    writeFileSync(logPath(1, 'e'), `${'x'.repeat(2 ** 20)}\nlast\n`)
    const [shown] = (await summarize(1, contextWith([failed(1)]))).failed
    expect(shown!.tail.at(-1)).toBe('last')
    expect(shown!.tail.join('').length).toBeLessThan(5_000)
  })

  test('names no log that is not there', async () => {
    const [shown] = (await summarize(1, contextWith([failed(1)]))).failed
    expect(shown).toMatchObject({ logPaths: [], tail: [] })
  })

  test('shows ten failures at most, failed ones before terminated ones, and no canceled ones', async () => {
    const jobs = [
      ...Array.from({ length: 9 }, (_, n) => failed(n + 1, 'terminated')),
      ...Array.from({ length: 4 }, (_, n) => failed(n + 20)),
      failed(40, 'canceled'),
    ]
    const summary = await summarize(1, contextWith(jobs))
    expect(summary.failed.map(({ jobId }) => jobId)).toEqual([20, 21, 22, 23, 1, 2, 3, 4, 5, 6])
  })

  test.each([
    ['complete', false, undefined],
    ['drained', false, 'interrupt'],
    ['drained', true, 'time_limit'],
    ['canceled', false, 'canceled'],
    ['no_room', false, 'no_room'],
    ['idle', false, 'other_runners'],
  ] as const)('of a loop that ended as %s (time up: %s) was stopped by %s', async (end, timeUp, stoppedBy) => {
    expect((await summarize(1, contextWith([], { end, timeUp }))).stoppedBy).toBe(stoppedBy)
  })

  test('names jobs without room only when the run ended for want of it', async () => {
    const unrunnable = [{ jobId: 7, name: 'big', reason: 'it needs 64 CPUs' }]
    expect((await summarize(1, contextWith([], { end: 'no_room', unrunnable }))).unrunnable).toEqual(unrunnable)
    expect((await summarize(1, contextWith([], { end: 'drained', unrunnable }))).unrunnable).toEqual([])
  })
})
