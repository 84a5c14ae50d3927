import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readJournal, recordLife, recordLifeEnd } from '../../runner/launcher/journal.ts'
import { formatRecord, parseRecord } from '../../runner/launcher/records.ts'
import { makeDirectory } from './harness.ts'

const start = (id: string, tag: number) =>
  formatRecord('S', id, tag, 1234, 500, 501, '1700000000000.250', `job%20${tag}`)
const exit = (id: string, tag: number) => formatRecord('E', id, tag, 3, 0, 0, 0, 10.5, 20.25, 1.5, 2.5, 4096, 2, 0)

test('readJournal() takes a file that is not there for an empty one', () => {
  expect(readJournal('/no/such/journal')).toEqual({ lives: [], launches: [], skipped: 0 })
})

test('readJournal() joins exits to starts, of several lives of launchers', () => {
  const path = join(makeDirectory(), 'journal')
  recordLife(path, 'aa', 'native', process.pid)
  appendFileSync(path, start('aa', 1) + start('aa', 2) + exit('aa', 1))
  recordLifeEnd(path, 'aa')
  recordLife(path, 'bb', 'shell', process.pid)
  appendFileSync(path, start('bb', 1))
  const journal = readJournal(path)
  expect(journal.skipped).toBe(0)
  expect(journal.lives).toMatchObject([
    { launcherId: 'aa', kind: 'native', closed: true, runnerPid: process.pid },
    { launcherId: 'bb', kind: 'shell', closed: false, pid: process.pid },
  ])
  const window = { fromTicks: 500, toTicks: 501 }
  const usage = { startedAtMs: 10.5, exitedAtMs: 20.25, userMs: 1.5, systemMs: 2.5, peakMemoryBytes: 4096, strays: 2 }
  expect(journal.launches).toEqual([
    {
      launcherId: 'aa',
      tag: 1,
      label: 'job 1',
      pid: 1234,
      startedAtMs: 1700000000000.25,
      window,
      cut: false,
      exit: { tag: 1, code: 3, ...usage },
    },
    { launcherId: 'aa', tag: 2, label: 'job 2', pid: 1234, startedAtMs: 1700000000000.25, window, cut: false },
    { launcherId: 'bb', tag: 1, label: 'job 1', pid: 1234, startedAtMs: 1700000000000.25, window, cut: false },
  ])
})

test('readJournal() skips and counts torn and foreign lines wherever the tear is', () => {
  const path = join(makeDirectory(), 'journal')
  const whole = start('aa', 1)
  const torn = exit('aa', 1)
  for (let length = 1; length < torn.length - 1; length += 1) {
    writeFileSync(path, whole + torn.slice(0, length))
    recordLife(path, 'bb', 'native', process.pid)
    const journal = readJournal(path)
    expect(journal.launches[0]?.exit).toBeUndefined()
    expect(journal.lives).toHaveLength(1)
    expect(journal.skipped).toBe(1)
  }
})

test('readJournal() counts an exit without a start, and garbage', () => {
  const path = join(makeDirectory(), 'journal')
  writeFileSync(
    path,
    `${exit('aa', 9)}hello\n\0\0\0\0\n${formatRecord('S', 'aa', 'x', 'y')}${formatRecord('X', 'aa')}${start('aa', 1)}`,
  )
  expect(readJournal(path)).toMatchObject({ launches: [{ tag: 1 }], skipped: 5 })
})

test('readJournal() keeps what goes on, and the last of what has ended, of a journal of any length', () => {
  const path = join(makeDirectory(), 'journal')
  const ended = Array.from({ length: 100_005 }, (_, n) => start('aa', n + 1) + exit('aa', n + 1))
  writeFileSync(path, [start('aa', 0), ...ended].join(''))
  const { launches, skipped } = readJournal(path)
  expect(skipped).toBe(0)
  expect(launches).toHaveLength(100_001)
  expect(launches.slice(0, 2).map(({ tag, exit }) => [tag, exit?.code])).toEqual([
    [0, undefined],
    [6, 3],
  ])
  expect(launches.at(-1)).toMatchObject({ tag: 100_005, label: 'job 100005', exit: { code: 3 } })
})

test.each([
  [['3', '0', '0', '0'], { code: 3 }],
  [['-1', '9', '0', '0'], { signal: 9 }],
  [['-1', '0', '2', '6'], { error: 'ENOENT', failedStep: 'exec' }],
])('parseRecord() reads the end %j as %j', (numbers, end) => {
  const record = parseRecord(formatRecord('E', 'aa', 1, ...numbers, 1, 2, 3, 4, 0, 0, 1).trimEnd())
  expect(record).toEqual({
    type: 'exit',
    launcherId: 'aa',
    cut: true,
    exit: { tag: 1, ...end, startedAtMs: 1, exitedAtMs: 2, userMs: 3, systemMs: 4, strays: 0 },
  })
})

test('recordLife() names this process as runner, with its start time', () => {
  const path = join(makeDirectory(), 'journal')
  recordLife(path, 'aa', 'native', process.pid)
  const [life] = readJournal(path).lives
  const ticks = Number(readFileSync(`/proc/${process.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19])
  expect(life).toMatchObject({ runnerPid: process.pid, runnerStartTicks: ticks, startTicks: ticks })
})
