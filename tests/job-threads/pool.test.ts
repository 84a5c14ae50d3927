import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Outcome } from '../../runner/job-threads/finalisers.ts'
import { createPool, type Pool } from '../../runner/job-threads/pool.ts'

/** Notes which thread does which step, waits for as long as it is told, and may end in the middle. */
const PROGRAM = `
import { parentPort, threadId } from 'node:worker_threads'
const now = () => performance.timeOrigin + performance.now()
parentPort.postMessage('ready')
parentPort.on('message', async ({ id, ms, dies }) => {
  const begin = { id, threadId, atMs: now() }
  await new Promise(resolve => setTimeout(resolve, ms))
  if (dies) process.exit(3)
  parentPort.postMessage({ steps: [begin, { id, threadId, atMs: now() }] })
})
`
type Task = { id: number; ms: number; dies?: boolean }
type Step = { id: number; threadId: number; atMs: number }

let directory: string
let program: string
const pools: Pool<Task>[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-pool-'))
  program = join(directory, 'thread.mjs')
  writeFileSync(program, PROGRAM)
})
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close()
  rmSync(directory, { recursive: true })
})

function poolOf(threads: number, path = program): Pool<Task> {
  const pool = createPool<Task>({ threads, program: path, here: ({ id }): Outcome => ({ error: `${id} done here` }) })
  pools.push(pool)
  return pool
}

const stepsOf = (outcome: Outcome): [Step, Step] => (outcome as unknown as { steps: [Step, Step] }).steps

/** How many of these were under way at the same moment, at most. */
function mostAtOnce(spans: readonly [Step, Step][]): number {
  return Math.max(
    ...spans.map(([{ atMs }]) => spans.filter(([from, to]) => from.atMs <= atMs && atMs < to.atMs).length),
  )
}

test('S77 three threads never do more than three tasks at once, and each task stays in one of them', async () => {
  const pool = poolOf(3)
  const outcomes = await Promise.all(Array.from({ length: 12 }, (_, id) => pool.run({ id, ms: 40 })))
  const spans = outcomes.map(stepsOf)
  expect(new Set(spans.flat().map(({ threadId }) => threadId)).size).toBe(3)
  expect(spans.filter(([begin, end]) => begin.threadId !== end.threadId)).toEqual([])
  expect(spans.map(([begin]) => begin.id)).toEqual(Array.from({ length: 12 }, (_, id) => id))
  expect(mostAtOnce(spans)).toBeLessThanOrEqual(3)
})

test('S77 createPool() makes no thread before there is a task, and no more than there are tasks', async () => {
  const pool = poolOf(8)
  const threads = new Set<number>()
  for (let id = 0; id < 5; id++) threads.add(stepsOf(await pool.run({ id, ms: 0 }))[0]!.threadId)
  expect(threads.size).toBe(1)
})

test('a thread that ends in the middle fails its task alone, and another takes its place', async () => {
  const pool = poolOf(2)
  const outcomes = await Promise.all([
    pool.run({ id: 1, ms: 5, dies: true }),
    pool.run({ id: 2, ms: 5 }),
    pool.run({ id: 3, ms: 5 }),
    pool.run({ id: 4, ms: 5 }),
  ])
  expect(outcomes[0]).toEqual({ error: 'its thread has ended with 3' })
  expect(outcomes.slice(1).map(outcome => stepsOf(outcome)[1].id)).toEqual([2, 3, 4])
})

test('a task whose thread cannot be made is done on the main path', async () => {
  const pool = poolOf(2, join(directory, 'missing.mjs'))
  expect(await pool.run({ id: 7, ms: 0 })).toEqual({ error: '7 done here' })
})
