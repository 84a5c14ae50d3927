import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createPaint, wantsColor } from '../../../runner/screen/color.ts'
import { createLiveDisplay } from '../../../runner/screen/live-display.ts'
import { createPlainDisplay } from '../../../runner/screen/plain-display.ts'
import { renderProgress } from '../../../runner/screen/progress-lines.ts'
import { createRateMeter } from '../../../runner/screen/rate.ts'
import { readCounts } from '../../../runner/screen/status.ts'
import { widthOf } from '../../../runner/screen/text.ts'
import { snapshotOf } from './snapshot.ts'

const PLAIN = createPaint(false)

describe('renderProgress()', () => {
  const render = (columns: number, rows: number, snapshot = snapshotOf()) =>
    renderProgress(snapshot, { nowMs: 62_000, perSecond: 20, size: { columns, rows }, paint: PLAIN })

  test('shows name, time, share, rate, counts and the longest-running jobs first', () => {
    expect(render(80, 24)).toEqual([
      'diamond (workflow 12)                                    1:02, about 1m30s left',
      '████████████████░░░░░░░░░░░░░░░░░░░░░░░░ 40% 1,210 of 3,001, 20/s',
      'completed 1,200  failed 3  canceled 7  running 10  ready 60  blocked 1,721',
      'Running:',
      ...[9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map(index => `  ${`0:${String(index + 2).padStart(2, '0')}`}  work_${index}`),
    ])
  })

  test('says how many of the running jobs it shows when there is no room for all', () => {
    expect(render(80, 8).slice(3)).toEqual([
      'Longest running (3 of 10):',
      '  0:11  work_9',
      '  0:10  work_8',
      '  0:09  work_7',
    ])
  })

  test('says what Ctrl-C does while it drains', () => {
    const lines = render(80, 24, snapshotOf({ draining: true, running: [{ jobId: 1, name: 'a', startedAtMs: 0 }] }))
    expect(lines).toContain('Ctrl-C: finishing 1 running job, again to stop now')
  })

  test('says that the control plane is away', () => {
    expect(render(80, 24, snapshotOf({ offline: 'connect ECONNREFUSED' }))).toContain(
      'Control plane away: connect ECONNREFUSED',
    )
  })

  test('never has more lines or columns than the screen, whatever the names', () => {
    const names = fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 40 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 130 }),
        fc.integer({ min: 1, max: 50 }),
        fc.string({ unit: 'binary' }),
        names,
        (columns, rows, name, jobs) => {
          const running = jobs.map((job, jobId) => ({ jobId, name: job, startedAtMs: 0 }))
          const lines = renderProgress(snapshotOf({ name, running }), {
            nowMs: 1_000,
            perSecond: undefined,
            size: { columns, rows },
            paint: createPaint(true),
          })
          expect(lines.length).toBeLessThanOrEqual(Math.max(1, rows - 1))
          for (const line of lines)
            expect(widthOf(stripVTControlCharacters(line))).toBeLessThanOrEqual(Math.max(1, columns - 1))
        },
      ),
    )
  })
})

describe('createRateMeter()', () => {
  test('says nothing before a second has passed', () => {
    const meter = createRateMeter()
    meter.record(0, 0)
    meter.record(900, 50)
    expect(meter.perSecond()).toBeUndefined()
    meter.record(1_000, 60)
    expect(meter.perSecond()).toBe(60)
  })

  test('forgets what lies more than half a minute back', () => {
    const meter = createRateMeter()
    for (let second = 0; second <= 60; second++) meter.record(second * 1_000, second * 100)
    for (let second = 61; second <= 120; second++) meter.record(second * 1_000, 6_000 + (second - 60) * 2)
    expect(meter.perSecond()).toBe(2)
  })
})

describe('createLiveDisplay()', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 0 }))
  afterEach(() => void vi.useRealTimers())

  function display(size = { columns: 80, rows: 24 }) {
    const written: string[] = []
    const live = createLiveDisplay({
      write: text => void written.push(text),
      size: () => size,
      clock: Date.now,
      paint: PLAIN,
    })
    return { live, written, size }
  }

  test('draws at most twice a second however often it is updated', () => {
    const { live, written } = display()
    for (let ms = 0; ms < 2_000; ms += 10) {
      live.update(snapshotOf({ finishedHere: ms }))
      vi.advanceTimersByTime(10)
    }
    expect(written).toHaveLength(5)
    live.end()
  })

  test('goes up over the lines it drew before it draws again', () => {
    const { live, written } = display()
    live.update(snapshotOf())
    vi.advanceTimersByTime(500)
    const lines = written[0]!.split('\n').length - 1
    expect(written[1]!.startsWith(`\u001b[${lines}A\r\u001b[J`)).toBe(true)
    live.end()
  })

  test('goes up over lines that a narrower window has broken', () => {
    const { live, written, size } = display({ columns: 80, rows: 5 })
    live.update(snapshotOf({ running: [] }))
    size.columns = 40
    vi.advanceTimersByTime(500)
    expect(written[1]!.startsWith('\u001b[6A')).toBe(true)
    live.end()
  })

  test('writes notes above and takes the display away at the end', () => {
    const { live, written } = display()
    live.update(snapshotOf())
    live.note('job a failed\u001b[2J')
    expect(written[1]).toContain('job a failed?[2J\n')
    live.end()
    expect(written.at(-1)).toBe('\u001b[14A\r\u001b[J')
    vi.advanceTimersByTime(5_000)
    live.update(snapshotOf())
    live.note('late')
    expect(written).toHaveLength(3)
  })
})

describe('createPlainDisplay()', () => {
  function display() {
    const lines: string[] = []
    const clock = { now: 0 }
    return { lines, clock, plain: createPlainDisplay({ write: text => void lines.push(text), clock: () => clock.now }) }
  }
  const whenDone = (completed: number) =>
    snapshotOf({ counts: readCounts({ completed, ready: 100 - completed }), total: 100, running: [] })

  test('writes one line each few seconds and at each quarter', () => {
    const { lines, clock, plain } = display()
    for (let completed = 0; completed <= 100; completed++) {
      plain.update(whenDone(completed))
      clock.now += 10
    }
    expect(lines.map(line => line.split(' ')[0])).toEqual(['0', '25', '50', '75', '100'])
    clock.now += 4_000
    plain.update({ ...whenDone(100), finishedHere: 1 })
    expect(lines).toHaveLength(5)
  })

  test('shows nothing before the first look at the workflow', () => {
    const { lines, plain } = display()
    plain.update(snapshotOf({ total: 0, counts: readCounts({}) }))
    plain.end()
    expect(lines).toEqual([])
  })

  test('says at once that it drains', () => {
    const { lines, plain } = display()
    plain.update(whenDone(10))
    plain.update({ ...whenDone(10), draining: true })
    expect(lines[1]).toContain('Ctrl-C: finishing 0 running jobs, again to stop now')
  })

  test('ends with the last state, once', () => {
    const { lines, plain } = display()
    plain.update(whenDone(1))
    plain.update(whenDone(2))
    plain.end()
    plain.end()
    plain.note('late')
    expect(lines).toHaveLength(2)
    expect(lines[1]).toContain('2 of 100 jobs done (2%)')
  })
})

test('wantsColor() asks for a terminal and honours NO_COLOR', () => {
  expect(wantsColor(true, {})).toBe(true)
  expect(wantsColor(true, { NO_COLOR: '' })).toBe(true)
  expect(wantsColor(true, { NO_COLOR: '1' })).toBe(false)
  expect(wantsColor(true, { TERM: 'dumb' })).toBe(false)
  expect(wantsColor(false, {})).toBe(false)
})
