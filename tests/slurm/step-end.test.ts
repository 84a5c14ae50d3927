import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { Attempt, EndReason } from '../../runner/attempt.ts'
import { endOfStep } from '../../runner/slurm/step-end.ts'
import { endedOf } from '../job-threads/attempts.ts'
import { recordingOf } from './recorded.ts'

const directory = mkdtempSync(join(tmpdir(), 'headrace-step-end-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const TIMES = { tag: 1, startedAtMs: 0, exitedAtMs: 1, userMs: 0, systemMs: 0, strays: 0 }

/** An attempt that an srun has run, which ended with this code and said this. */
function ended(code: number, words: string | undefined, reason?: EndReason) {
  const stderr = words === undefined ? null : join(directory, 'job.e')
  if (stderr !== null) writeFileSync(stderr, words!)
  const { attempt } = endedOf(1, { logs: { stdout: null, stderr } })
  return { attempt, end: { ...TIMES, code }, reason }
}

function seen(...given: Parameters<typeof ended>) {
  const { end, reason } = endOfStep<{
    attempt: Attempt
    end: typeof TIMES & { code?: number; signal?: number }
    reason: EndReason | undefined
  }>(ended(...given))
  return { code: end.code, signal: end.signal, reason }
}

const recorded = (name: string, reason?: EndReason) => {
  const { code, stderr } = recordingOf(name)
  return seen(code, stderr, reason)
}

describe('endOfStep()', () => {
  test.each([
    ['srun-memory', 1],
    ['srun-memory-of-child', 1],
    ['srun-memory-sampled', 137],
  ])('knows a want of memory by what srun says: %s', (name, code) => {
    expect(recorded(name)).toEqual({ code, reason: 'oom' })
  })

  test('knows it in the words of other versions, which were not recorded', () => {
    expect(seen(1, 'slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.\n').reason).toBe('oom')
    expect(seen(137, 'slurmstepd: error: Step 7.0 exceeded memory limit (9 > 5), being killed\n').reason).toBe('oom')
  })

  test('tells a signal from a code that the program chose', () => {
    expect(recorded('srun-signal')).toEqual({ signal: 11 })
    expect(recorded('srun-nodes')).toEqual({ signal: 9 })
    expect(recorded('srun-code')).toEqual({ code: 137 })
  })

  test('takes the first of several tasks that failed, not those that were ended for it', () => {
    expect(recordingOf('srun-code-of-one').code).toBe(143)
    expect(recorded('srun-code-of-one')).toEqual({ code: 3 })
    expect(recorded('srun-signal-of-one')).toEqual({ signal: 11 })
    expect(seen(163, 'srun: error: n1: task 0: Real-time signal 1\n')).toEqual({ signal: 35 })
  })

  test('does not take the words of an srun within the job for its own', () => {
    const inner = 'srun: error: n1: task 0: Exited with exit code 3\n'
    expect(seen(130, `${inner}srun: error: n1: task 0: Exited with exit code 130\n`)).toEqual({ code: 130 })
    expect(seen(5, `${inner}srun: error: n1: task 0: Exited with exit code 5\n`)).toEqual({ code: 5 })
  })

  test('leaves alone what it knows nothing of', () => {
    expect(seen(0, recordingOf('srun-memory').stderr)).toEqual({ code: 0 })
    expect(seen(139, undefined)).toEqual({ code: 139 })
    expect(seen(139, 'no words of srun\n')).toEqual({ code: 139 })
    expect(seen(1, 'Out Of Memory\n')).toEqual({ code: 1 })
  })

  test('the first reason stays', () => {
    expect(recorded('srun-memory', 'time_limit').reason).toBe('time_limit')
  })

  test('finds the words at the end of a long log', () => {
    const { code, stderr } = recordingOf('srun-memory')
    expect(seen(code, `${'x'.repeat(2 ** 20)}\n${stderr}`).reason).toBe('oom')
  })
})
