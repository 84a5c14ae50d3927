import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { finalise } from '../../runner/finalise.ts'
import {
  createFinalisers,
  type Execute,
  type Finalised,
  type FinaliseTask,
  type Outcome,
  onMainPath,
} from '../../runner/job-threads/finalisers.ts'
import { endedOf } from './attempts.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

const entryOf = ({ attempt, end, reason }: FinaliseTask): Outcome => ({ entry: finalise(attempt, end, reason) })

/** Takes as long for each job as it is told, several at a time. */
const slow =
  (msOf: (jobId: number) => number): Execute =>
  async task => {
    await new Promise(resolve => setTimeout(resolve, msOf(task.attempt.jobId)))
    return entryOf(task)
  }

/** Collects what is told, each telling by itself. */
function listener() {
  const told: number[][] = []
  return { told, tell: (done: readonly Finalised[]) => void told.push(done.map(({ entry }) => entry.job_id)) }
}

test('createFinalisers() with one thread tells at once, in the order of the exits, and prepares first', () => {
  const steps: string[] = []
  const finalisers = createFinalisers({
    prepare(ended) {
      steps.push(`prepare ${ended.attempt.jobId}`)
      return ended
    },
    execute: onMainPath(({ attempt, end, reason }) => {
      steps.push(`execute ${attempt.jobId}`)
      return finalise(attempt, end, reason)
    }),
    bookkeep: ({ entry }) => void steps.push(`bookkeep ${entry.job_id}`),
  })
  const { told, tell } = listener()
  finalisers.take([endedOf(2), endedOf(1)], tell)
  expect(steps).toEqual(['prepare 2', 'prepare 1', 'execute 2', 'execute 1', 'bookkeep 2', 'bookkeep 1'])
  expect(told).toEqual([[2, 1]])
  expect(finalisers.isEmpty).toBe(true)
})

test('createFinalisers() keeps the order of the exits whichever finaliser is quickest', async () => {
  const finalisers = createFinalisers({ execute: slow(jobId => 40 - 10 * jobId) })
  const { told, tell } = listener()
  finalisers.take([endedOf(1), endedOf(2), endedOf(3)], tell)
  expect(finalisers.claims()).toEqual([1, 2, 3].map(id => ({ job_id: id, claim_token: `t${id}` })))
  await vi.advanceTimersByTimeAsync(29)
  expect(told).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(told).toEqual([[1, 2, 3]])
  expect(finalisers.isEmpty).toBe(true)
})

test('S79 a finaliser of 30 s beside nine quick ones: the nine are told within a second, the slow one when it is done', async () => {
  const finalisers = createFinalisers({ execute: slow(jobId => (jobId === 4 ? 30_000 : 5)) })
  const { told, tell } = listener()
  const ids = Array.from({ length: 10 }, (_, index) => index + 1)
  finalisers.take(
    ids.map(id => endedOf(id)),
    tell,
  )
  await vi.advanceTimersByTimeAsync(1_000)
  expect(told).toEqual([ids.filter(id => id !== 4)])
  expect(finalisers.claims()).toEqual([{ job_id: 4, claim_token: 't4' }])
  await vi.advanceTimersByTimeAsync(29_000)
  expect(told.at(-1)).toEqual([4])
})

/** Fails so many times for a job, then works. */
const failing = (failures: ReadonlyMap<number, number>): { execute: Execute; tries: Map<number, number> } => {
  const tries = new Map<number, number>()
  return {
    tries,
    execute: onMainPath(task => {
      const { jobId } = task.attempt
      tries.set(jobId, (tries.get(jobId) ?? 0) + 1)
      if (tries.get(jobId)! <= (failures.get(jobId) ?? 0)) throw new Error('stale file handle')
      return finalise(task.attempt, task.end, task.reason)
    }),
  }
}

test('S78 one finaliser throws: the others complete, it works in the next cycle and completes without a new exit', async () => {
  const { execute } = failing(new Map([[2, 1]]))
  const failures: string[] = []
  const finalisers = createFinalisers({
    execute,
    onFailure: ({ attempt }, error, which) => void failures.push(`${attempt.jobId} ${which}: ${error}`),
  })
  const entries: string[] = []
  finalisers.take([endedOf(1), endedOf(2), endedOf(3)], done => {
    for (const { entry } of done) entries.push(`${entry.job_id} ${entry.status}`)
  })
  expect(entries).toEqual(['1 completed', '3 completed'])
  expect(failures).toEqual(['2 first: stale file handle'])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(entries).toEqual(['1 completed', '3 completed', '2 completed'])
  expect(finalisers.isEmpty).toBe(true)
})

test('S78 five failures running end the job as postprocess_error; four and a success do not', async () => {
  const { execute, tries } = failing(
    new Map([
      [1, 5],
      [2, 4],
    ]),
  )
  const finalisers = createFinalisers({ execute })
  const entries: object[] = []
  finalisers.take([endedOf(1), endedOf(2)], done => {
    for (const { entry } of done)
      entries.push([entry.job_id, entry.status, entry.failure_class, entry.result.return_code])
  })
  await vi.advanceTimersByTimeAsync(60_000)
  expect(entries).toEqual([
    [1, 'failed', 'postprocess_error', 1],
    [2, 'completed', undefined, 0],
  ])
  expect(tries).toEqual(
    new Map([
      [1, 5],
      [2, 5],
    ]),
  )
})

test('S78 a success clears the failures of before: the next attempt of the job has five tries of its own', async () => {
  const { execute, tries } = failing(new Map([[1, 4]]))
  const finalisers = createFinalisers({ execute })
  const { told, tell } = listener()
  finalisers.take([endedOf(1)], tell)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(told).toEqual([[1]])
  tries.set(1, 0)
  finalisers.take([endedOf(1, { attemptId: 2 })], tell)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(told).toEqual([[1], [1]])
  expect(tries.get(1)).toBe(5)
})

test('createFinalisers() leaves what the runner itself has ended what it was when no completion can be made', async () => {
  const { execute } = failing(new Map([[1, 9]]))
  const finalisers = createFinalisers({ execute })
  const statuses: (string | undefined)[] = []
  finalisers.take([{ ...endedOf(1, { code: 143 }), reason: 'canceled' }], done => {
    statuses.push(done[0]!.entry.status, done[0]!.entry.failure_class)
  })
  await vi.advanceTimersByTimeAsync(10_000)
  expect(statuses).toEqual(['canceled', 'canceled'])
})

test('S80 close() waits for what is under way and tells of it', async () => {
  let hasEnded = false
  const finalisers = createFinalisers({
    execute: slow(() => 5_000),
    async end() {
      hasEnded = true
    },
  })
  const { told, tell } = listener()
  finalisers.take([endedOf(1)], tell)
  const closing = finalisers.close()
  await vi.advanceTimersByTimeAsync(4_999)
  expect([told, hasEnded]).toEqual([[], false])
  await vi.advanceTimersByTimeAsync(1)
  await closing
  expect([told, hasEnded]).toEqual([[[1]], true])
})
