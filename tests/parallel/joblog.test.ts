import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openJoblog, readJoblog } from '../../runner/parallel/joblog.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-joblog-'))
  path = join(folder, 'log')
})
afterEach(() => rmSync(folder, { recursive: true }))

const line = (seq: number, exitValue = 0, signal = 0) => ({
  seq,
  startedAtMs: 1_795_238_634_530,
  runtimeMs: 3,
  received: 2,
  exitValue,
  signal,
  command: `exit ${exitValue}`,
})

const HEAD = 'Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n'

describe('openJoblog()', () => {
  test("writes GNU parallel's form", () => {
    const log = openJoblog(path, false)
    log.add(line(2, 3))
    log.close()
    expect(readFileSync(path, 'utf8')).toBe(`${HEAD}2\t:\t1795238634.530\t     0.003\t0\t2\t3\t0\texit 3\n`)
  })

  test('begins anew, or adds to what is there under one head', () => {
    for (const [seq, keep] of [
      [1, false],
      [2, false],
      [3, true],
    ] as const) {
      const log = openJoblog(path, keep)
      log.add(line(seq))
      log.close()
    }
    const lines = readFileSync(path, 'utf8').split('\n')
    expect(lines.map(text => text.split('\t')[0])).toEqual(['Seq', '2', '3', ''])
  })

  test('keeps a new line apart from half of one', () => {
    writeFileSync(path, `${HEAD}1\t:\t17`)
    const log = openJoblog(path, true)
    log.add(line(1))
    log.close()
    expect([...readJoblog(path, false)]).toEqual([1])
  })

  test('says where it cannot write', () => {
    expect(() => openJoblog(join(folder, 'none', 'log'), false)).toThrow(
      /Cannot write the job log .*: its directory does not exist/,
    )
  })
})

describe('readJoblog()', () => {
  const write = (...lines: ReturnType<typeof line>[]) => {
    const log = openJoblog(path, false)
    for (const one of lines) log.add(one)
    log.close()
  }

  test('gives all jobs of the log, or those whose last line tells of success', () => {
    write(line(1), line(2, 1), line(3, 0, 9), line(4, -1, 15), line(5, 2), line(5), line(6), line(6, 1))
    expect([...readJoblog(path, false)].sort()).toEqual([1, 2, 3, 4, 5, 6])
    expect([...readJoblog(path, true)].sort()).toEqual([1, 5])
  })

  test('gives none where there is no log yet, and for half a line', () => {
    expect(readJoblog(path, false).size).toBe(0)
    write(line(1))
    writeFileSync(path, `${readFileSync(path, 'utf8')}2\t:\t17952386`)
    expect([...readJoblog(path, false)]).toEqual([1])
  })

  test('refuses a file that is no job log', () => {
    writeFileSync(path, 'precious data\n')
    expect(() => readJoblog(path, false)).toThrow('is no job log')
    expect(readFileSync(path, 'utf8')).toBe('precious data\n')
  })
})
