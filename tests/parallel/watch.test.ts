import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseHalt } from '../../runner/parallel/halt.ts'
import type { LogLine } from '../../runner/parallel/joblog.ts'
import { createTell } from '../../runner/parallel/tell.ts'
import { type WatchOptions, watchTasks } from '../../runner/parallel/watch.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-watch-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

type End = { code?: number; failureClass?: string; attemptId?: number; text?: string }

/** A watch over jobs 1 to `count`, whose ends the test tells. */
function setUp(count: number, { tag = false, ...options }: Partial<WatchOptions> & { tag?: boolean } = {}) {
  const said = { stdout: '', stderr: '' }
  const calls: string[] = []
  const log: (LogLine & { printed: string })[] = []
  const sinkOf = (name: 'stdout' | 'stderr') => ({ write: (chunk: Buffer | string) => (said[name] += chunk) })
  const watch = watchTasks({
    tasks: Array.from({ length: count }, (_, index) => ({
      seq: index + 1,
      values: [`v${index + 1}`],
      command: `run ${index + 1}`,
      usesSlot: false,
    })),
    slots: 1,
    retries: 1,
    keepOrder: false,
    halt: undefined,
    isLauncherFile: false,
    tell: createTell({
      joblog: { add: line => log.push({ ...line, printed: said.stdout }), close() {} },
      tag,
      sinks: { stdout: sinkOf('stdout'), stderr: sinkOf('stderr') },
    }),
    stderr: sinkOf('stderr'),
    ...options,
  })
  watch.direct({ drain: () => void calls.push('drain'), stop: () => void calls.push('stop') })

  function start(seq: number, slot = 1): Record<string, string> {
    const job = { id: 100 + seq, name: String(seq) } as Parameters<typeof watch.environment>[0]
    return watch.environment(job, { cores: [], gpus: [], memoryBytes: 0, slot })
  }

  function end(seq: number, { code = 0, failureClass, attemptId = 1, text = `out ${seq}\n` }: End = {}): string {
    const stdout = join(folder, `${seq}.${attemptId}.o`)
    const stderr = join(folder, `${seq}.${attemptId}.e`)
    writeFileSync(stdout, text)
    writeFileSync(stderr, code === 0 ? '' : `err ${seq}\n`)
    start(seq)
    watch.ended(
      { jobId: 100 + seq, attemptId, logs: { stdout, stderr } } as Parameters<typeof watch.ended>[0],
      {
        status: code === 0 ? 'completed' : 'failed',
        failure_class: failureClass,
        result: { return_code: code },
        phase_times: { launched: 1_000, exited: 1_500 },
      } as Parameters<typeof watch.ended>[1],
    )
    return stdout
  }

  return { watch, start, end, said, calls, log }
}

describe('watchTasks()', () => {
  test('prints the output of each job as it ends, and removes the files', () => {
    const { end, said } = setUp(2)
    const path = end(2, { code: 1 })
    expect(said).toEqual({ stdout: 'out 2\n', stderr: 'err 2\n' })
    expect(existsSync(path)).toBe(false)
    end(1)
    expect(said.stdout).toBe('out 2\nout 1\n')
  })

  test('prints in the order of the values on wish, and what is left at the end', () => {
    const { end, said, watch } = setUp(4, { keepOrder: true })
    end(2)
    expect(said.stdout).toBe('')
    end(1)
    expect(said.stdout).toBe('out 1\nout 2\n')
    end(4)
    expect(said.stdout).toBe('out 1\nout 2\n')
    watch.finish()
    expect(said.stdout).toBe('out 1\nout 2\nout 4\n')
  })

  test('logs a job after its output is printed, in its turn too: who goes on by the log after a kill has seen all of it', () => {
    const { end, log, watch } = setUp(3, { keepOrder: true })
    end(2)
    expect(log).toEqual([])
    end(1)
    end(3)
    expect(log.map(({ seq, printed }) => [seq, printed])).toEqual([
      [1, 'out 1\n'],
      [2, 'out 1\nout 2\n'],
      [3, 'out 1\nout 2\nout 3\n'],
    ])
    expect(watch.finish()).toBe(0)
  })

  test('puts the values before each line on wish, also before $& and an unfinished last line', () => {
    const { end, said } = setUp(1, { tag: true })
    end(1, { text: 'a\n\nb' })
    expect(said.stdout).toBe('v1\ta\nv1\t\nv1\tb')
  })

  test('gives each job its slot', () => {
    expect(setUp(1).start(1, 3)).toEqual({ PARALLEL_JOBSLOT: '3' })
    expect(setUp(1, { isLauncherFile: true, slots: 4 }).start(1, 3)).toEqual({
      PARALLEL_JOBSLOT: '3',
      LAUNCHER_TSK_ID: '2',
      LAUNCHER_NPROCS: '4',
      LAUNCHER_PPN: '4',
      LAUNCHER_NHOSTS: '1',
    })
  })

  test('logs ends as GNU parallel counts them', () => {
    const { end, log } = setUp(4)
    end(1, { code: 3, failureClass: 'exit_code' })
    end(2, { code: 137, failureClass: 'signal' })
    end(3, { code: 152, failureClass: 'timeout' })
    end(4)
    expect(log.map(({ seq, exitValue, signal }) => [seq, exitValue, signal])).toEqual([
      [1, 3, 0],
      [2, 0, 9],
      [3, -1, 15],
      [4, 0, 0],
    ])
    expect(log[0]).toMatchObject({ startedAtMs: 1_000, runtimeMs: 500, received: 6, command: 'run 1' })
  })

  test('tells of a job that is tried again only once it is settled', () => {
    const { end, log, said, watch } = setUp(2, { retries: 3 })
    end(1, { code: 1, attemptId: 1 })
    end(1, { code: 1, attemptId: 2 })
    expect([log, said.stdout]).toEqual([[], ''])
    end(1, { attemptId: 3 })
    end(2, { code: 1, attemptId: 3 })
    expect(log.map(({ seq, exitValue }) => [seq, exitValue])).toEqual([
      [1, 0],
      [2, 1],
    ])
    expect(watch.finish()).toBe(1)
  })

  test('tells of a try whose next one never came', () => {
    const { end, log, watch } = setUp(1, { retries: 3 })
    end(1, { code: 1, attemptId: 1 })
    watch.finish()
    expect(log).toHaveLength(1)
  })

  test.each([
    ['now,fail=1', 'stop'],
    ['soon,fail=1', 'drain'],
  ])('--halt %s calls %s once, and its job gives the end', (halt, call) => {
    const { end, calls, watch, said } = setUp(3, { halt: parseHalt(halt) })
    end(1)
    expect(calls).toEqual([])
    end(2, { code: 4, failureClass: 'exit_code' })
    end(3, { code: 5, failureClass: 'exit_code' })
    expect(calls).toEqual([call])
    expect(said.stderr).toContain('Job 2 failed: run 2\n')
    expect(watch.finish()).toBe(4)
  })

  test('a job that this program ended itself is in no log and counts as one that did not succeed', () => {
    const { end, log, watch } = setUp(2, { halt: parseHalt('now,fail=1') })
    end(1, { code: 1, failureClass: 'exit_code' })
    end(2, { code: 152, failureClass: 'allocation_end' })
    expect(log.map(({ seq }) => seq)).toEqual([1])
    expect(watch.finish()).toBe(1)
  })

  test('counts jobs that never ran as not succeeded', () => {
    const { end, watch } = setUp(3)
    end(1)
    expect(watch.finish()).toBe(2)
  })
})
