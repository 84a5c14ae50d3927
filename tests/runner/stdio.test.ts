import { describe, expect, test } from 'vitest'
import { logFiles, logPaths, STDIO_MODES, stdioOf } from '../../runner/stdio.ts'

describe('stdioOf()', () => {
  test('keeps both streams apart and all logs when nothing is said', () => {
    expect(stdioOf('a', {})).toEqual({ mode: 'separate', deleteOnSuccess: false })
  })

  test("lets a job's setting replace the workflow's as a whole", () => {
    const settings = {
      stdio: { mode: 'combined', delete_on_success: true },
      job_stdio_overrides: { a: { mode: 'none' }, b: { delete_on_success: true } },
    }
    expect(stdioOf('a', settings)).toEqual({ mode: 'none', deleteOnSuccess: false })
    expect(stdioOf('b', settings)).toEqual({ mode: 'separate', deleteOnSuccess: true })
    expect(stdioOf('c', settings)).toEqual({ mode: 'combined', deleteOnSuccess: true })
  })
})

describe('logFiles()', () => {
  const job = { workflowId: 1, jobId: 2, runId: 3, attemptId: 4 }
  const stem = '/out/job_stdio/job_wf1_j2_r3_a4'

  test.each([
    ['separate', `${stem}.o`, `${stem}.e`],
    ['combined', `${stem}.log`, 'stdout'],
    ['no_stdout', null, `${stem}.e`],
    ['no_stderr', `${stem}.o`, null],
    ['none', null, null],
  ] as const)('mode %s writes to %s and %s', (mode, stdout, stderr) => {
    expect(logFiles('/out', mode, job)).toEqual({ stdout, stderr })
  })

  test('names paths for logPaths(), standard error first and each once', () => {
    const paths = STDIO_MODES.map(mode => logPaths(logFiles('/out', mode, job)))
    expect(paths).toEqual([[`${stem}.e`, `${stem}.o`], [`${stem}.log`], [`${stem}.e`], [`${stem}.o`], []])
  })
})
