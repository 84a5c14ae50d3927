import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { chooseLogs } from '../../runner/clean/choose.ts'
import { listLogs, partsOf } from '../../runner/clean/contents.ts'
import { liveWorkflows } from '../../runner/clean/live.ts'
import { openProgram } from './program.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-06-01T00:00:00Z')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-clean-'))
  mkdirSync(join(directory, 'job_stdio'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Writes a log of workflow w, run r. */
function log(w: number, r: number, text: string, ageDays: number, job = 1, root = directory): string {
  const path = join(root, 'job_stdio', `job_wf${w}_j${job}_r${r}_a1.o`)
  writeFileSync(path, text)
  const seconds = NOW / 1000 - ageDays * 86_400
  utimesSync(path, seconds, seconds)
  return path
}

const none = () => false
const names = (chosen: ReturnType<typeof chooseLogs>) =>
  chosen.map(({ log: { workflowId, runId }, why }) => [workflowId, runId, why])

describe('chooseLogs()', () => {
  test('takes empty logs, old ones, and those of runs beyond the newest', () => {
    log(1, 0, 'text', 40)
    log(1, 1, '', 3)
    log(2, 0, 'text', 2)
    const logs = listLogs(directory)
    const choose = (rules: Partial<Parameters<typeof chooseLogs>[1]>) =>
      names(chooseLogs(logs, { emptyLogs: false, ...rules }, NOW, none)).sort()
    expect(choose({})).toEqual([])
    expect(choose({ emptyLogs: true })).toEqual([[1, 1, 'empty']])
    expect(choose({ olderThanMs: 30 * DAY_MS })).toEqual([[1, 0, 'old']])
    expect(choose({ keepRuns: 1 })).toEqual([
      [1, 0, 'beyond --keep'],
      [1, 1, 'beyond --keep'],
    ])
    expect(choose({ keepRuns: 3 })).toEqual([])
  })

  test('never takes a log of a live workflow, nor one that was just written', () => {
    log(1, 0, '', 40)
    log(2, 0, '', 0)
    const rules = { emptyLogs: true, keepRuns: 0, olderThanMs: 0 }
    expect(chooseLogs(listLogs(directory), rules, NOW, id => id === 1)).toEqual([])
  })
})

describe('listLogs() and partsOf()', () => {
  test('count the logs of each run and every other file once, and take no foreign file for a log', () => {
    log(1, 0, 'abc', 1, 1)
    log(1, 0, 'abcd', 1, 2)
    log(1, 1, 'x', 1)
    writeFileSync(join(directory, 'job_stdio', 'notes.txt'), 'mine')
    writeFileSync(join(directory, 'headrace.db'), '12345')
    writeFileSync(join(directory, 'headrace.db-wal'), '12345')
    const logs = listLogs(directory)
    expect(logs).toHaveLength(3)
    expect(partsOf(directory, logs).map(({ kind, files, bytes }) => [kind, files, bytes])).toEqual([
      ['database', 2, 10],
      ['logs of workflow 1, run 0', 2, 7],
      ['job_stdio', 1, 4],
      ['logs of workflow 1, run 1', 1, 1],
    ])
  })
})

describe('liveWorkflows()', () => {
  const leave = (host: string, text: string) => {
    mkdirSync(join(directory, 'runner', host), { recursive: true })
    writeFileSync(join(directory, 'runner', host, 'state.json'), text)
  }
  const state = (workflowId: number, pid: number) =>
    JSON.stringify({ pid, pidStartTicks: 1, nodes: [{ computeNodeId: 1, workflowId }], cwd: '/' })

  test('is none where no runner is, or was killed on this host', () => {
    expect(liveWorkflows(directory)).toEqual({ ids: new Set(), unreadable: false })
    leave(hostname(), state(3, 1))
    expect(liveWorkflows(directory).ids).toEqual(new Set())
  })

  test('counts what another host has left as live, since nobody here can look', () => {
    leave('another-host', state(4, 1))
    expect(liveWorkflows(directory).ids).toEqual(new Set([4]))
  })

  test('says that it cannot tell when a state cannot be read', () => {
    leave(hostname(), '{"pid":')
    expect(liveWorkflows(directory).unreadable).toBe(true)
  })
})

test('runner clean removes by rule, shows what would go before, and leaves a running workflow alone', async () => {
  const program = openProgram()
  try {
    const output = join(program.directory, 'headrace_output')
    mkdirSync(join(output, 'job_stdio'), { recursive: true })
    mkdirSync(join(output, 'runner', 'another-host'), { recursive: true })
    writeFileSync(
      join(output, 'runner', 'another-host', 'state.json'),
      '{"nodes":[{"workflowId":2,"computeNodeId":1}],"pid":1}',
    )
    log(1, 0, '', 1, 1, output)
    log(1, 0, 'text', 1, 2, output)
    log(2, 0, '', 1, 1, output)
    const logs = () => readdirSync(join(output, 'job_stdio')).length
    expect((await program.run(['clean'])).stdout).toMatch(/Live: workflow 2\./)
    expect((await program.run(['clean', '--empty-logs', '--dry-run'])).stdout).toContain(
      '1 log file (0 B) would be removed',
    )
    expect(logs()).toBe(3)
    expect((await program.run(['clean', '--empty-logs'])).stdout).toContain('1 log file (0 B) removed')
    expect(logs()).toBe(2)
    await program.run(['clean', '--keep', '0'])
    expect(readdirSync(join(output, 'job_stdio'))).toEqual(['job_wf2_j1_r0_a1.o'])
    expect((await program.run(['clean', '--output-dir', 'none'])).code).toBe(3)
  } finally {
    program.close()
  }
})
