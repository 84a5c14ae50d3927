import { describe, expect, test } from 'vitest'
import { createPaint } from '../../../runner/screen/color.ts'
import { readCounts } from '../../../runner/screen/status.ts'
import { widthOf } from '../../../runner/screen/text.ts'
import { renderTop, type TopView } from '../../../runner/screen/top.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')

const view = (running: number, nodes: number): TopView => ({
  snapshot: {
    workflowId: 3,
    name: 'flow',
    counts: readCounts({ running, ready: 5, completed: 5 }),
    total: running + 10,
    finishedHere: 5,
    startedAtMs: NOW - 60_000,
    running: Array.from({ length: running }, (_, k) => ({ jobId: k, name: `job_${k}`, startedAtMs: NOW - k * 1_000 })),
  },
  nodes: Array.from({ length: nodes }, (_, k) => ({
    id: k + 1,
    hostname: `node-${k + 1}`,
    num_cpus: 64,
    memory_gb: 256.4,
    num_gpus: 4,
    start_time: '2026-01-01T00:00:00Z',
  })),
  nowMs: NOW,
  perSecond: 2,
})

const render = (running: number, nodes: number, size: { columns: number; rows: number }) =>
  renderTop(view(running, nodes), size, createPaint(false))

describe('renderTop()', () => {
  test('shows progress, running jobs and nodes', () => {
    const text = render(2, 1, { columns: 80, rows: 24 }).join('\n')
    expect(text).toContain('flow (workflow 3)')
    expect(text).toContain('job_1')
    expect(text).toMatch(/NODE +HOST +CPUS +GIB +GPUS +SINCE\n +1 +node-1 +64 +256 +4 +1:00:00/)
  })

  test.each([
    [80, 24],
    [40, 10],
    [20, 4],
    [200, 60],
  ])('never draws more than a screen of %d columns and %d rows', (columns, rows) => {
    const lines = render(500, 500, { columns, rows })
    expect(lines.length).toBeLessThan(rows)
    for (const line of lines) expect(widthOf(line)).toBeLessThan(Math.max(columns, 30))
  })

  test('leaves nodes out where there is no room for them', () => {
    expect(render(5, 5, { columns: 80, rows: 8 }).join('\n')).not.toContain('node-1')
  })
})
