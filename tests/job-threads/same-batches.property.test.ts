import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Attempt } from '../../runner/attempt.ts'
import { createFailureJudge } from '../../runner/failure/judge-failure.ts'
import { finalise } from '../../runner/finalise.ts'
import { createFinalisers, type Ended, type Execute, onMainPath } from '../../runner/job-threads/finalisers.ts'
import { openJobThreads } from '../../runner/job-threads/open.ts'
import type { CompletionEntry } from '../../runner/wire.ts'
import { endedOf } from './attempts.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-threads-'))
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

type Batch = { entries: CompletionEntry[]; errors: string[] }

/** What one cycle brings: the completions in their order, and the tries that failed. */
async function batchOf(cycle: readonly Ended[], execute: Execute): Promise<Batch> {
  const batch: Batch = { entries: [], errors: [] }
  await new Promise<void>(resolve => {
    let left = cycle.length
    const countDown = (done: number): void => {
      left -= done
      if (left === 0) resolve()
    }
    const finalisers = createFinalisers({
      execute,
      // Whatever the machine does beside: here all of a cycle is waited for.
      holdMs: 20_000,
      retryMs: 20_000,
      onFailure(ended, error) {
        batch.errors.push(`${ended.attempt.jobId}: ${error}`)
        countDown(1)
      },
    })
    finalisers.take(cycle, done => {
      batch.entries.push(...done.map(({ entry }) => entry))
      countDown(done.length)
    })
  })
  return batch
}

const jobArbitrary = fc.record({
  code: fc.constantFrom(0, 0, 0, 1, 137),
  outputs: fc.array(
    fc.record({ text: fc.string({ maxLength: 200 }), kind: fc.constantFrom('file', 'file', 'missing', 'unreadable') }),
    { maxLength: 3 },
  ),
  log: fc.constantFrom('', 'NaN in the energy', 'disk quota exceeded'),
  rule: fc.constantFrom(undefined, 'NaN in'),
})
type RandomJob = typeof jobArbitrary extends fc.Arbitrary<infer Job> ? Job : never

/** Puts the job's files there. A name that is too long cannot be looked at: a finaliser throws there. */
function endedJob({ code, outputs, log, rule }: RandomJob, jobId: number, folder: string): Ended {
  const stderr = join(folder, `log_${jobId}`)
  writeFileSync(stderr, log)
  const paths = outputs.map(({ text, kind }, index) => {
    const path = join(folder, `out_${jobId}_${index}`)
    if (kind === 'file') writeFileSync(path, text)
    return { id: 100 * jobId + index, path: kind === 'unreadable' ? join(folder, 'x'.repeat(300)) : path }
  })
  const policy: Attempt['policy'] =
    rule === undefined ? undefined : { deterministic: { exit_codes: [], log_patterns: [rule] } }
  return endedOf(jobId, { code, outputs: paths, hashOutputs: true, logs: { stdout: null, stderr }, policy })
}

test('S78 N=1 and N=8 make identical batches of random job sets: order, errors and hashes', async () => {
  const judge = createFailureJudge()
  await judge.prepare([{ deterministic: { exit_codes: [], log_patterns: ['any'] } }])
  const here = onMainPath(({ attempt, end, reason }) => judge.judge(finalise(attempt, end, reason), attempt))
  const threads = openJobThreads(8, here)
  const seen = { hashes: 0, errors: 0 }
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(jobArbitrary, { minLength: 1, maxLength: 20 }), async jobs => {
        const folder = mkdtempSync(join(directory, 'set-'))
        const cycle = jobs.map((job, index) => endedJob(job, index + 1, folder))
        const one = await batchOf(cycle, here)
        const eight = await batchOf(cycle, ({ attempt, end, reason }) => threads.run({ attempt, end, reason }))
        expect(eight).toEqual(one)
        seen.errors += one.errors.length
        seen.hashes += one.entries.flatMap(entry => entry.file_times ?? []).filter(file => file.sha256).length
      }),
      { numRuns: 30 },
    )
  } finally {
    await threads.close()
  }
  expect(seen.hashes).toBeGreaterThan(0)
  expect(seen.errors).toBeGreaterThan(0)
})
