import type { Paint } from './color.ts'
import { formatClock } from './format.ts'
import { renderProgress, type ScreenSize } from './progress-lines.ts'
import { type Column, renderTable } from './table.ts'
import type { ProgressSnapshot } from './types.ts'

export type TopNode = {
  id: number
  hostname: string
  num_cpus: number
  memory_gb: number
  num_gpus: number
  start_time: string
}

export type TopView = {
  snapshot: ProgressSnapshot
  nodes: readonly TopNode[]
  nowMs: number
  perSecond: number | undefined
}

/** Nodes may take this share of the screen; the rest is for jobs. */
const NODES_SHARE = 1 / 3
/** Title of the table, and the blank line above it. */
const AROUND_NODES = 2

/** One picture of a workflow at work: how far it is, what runs, and on which nodes. Never more lines than the screen. */
export function renderTop(view: TopView, size: ScreenSize, paint: Paint): string[] {
  const nodes = nodeLines(view, size)
  const above = renderProgress(view.snapshot, {
    nowMs: view.nowMs,
    perSecond: view.perSecond,
    size: { ...size, rows: size.rows - nodes.length },
    paint,
  })
  return [...above, ...nodes]
}

function nodeLines({ nodes, nowMs }: TopView, size: ScreenSize): string[] {
  const most = Math.floor(size.rows * NODES_SHARE) - AROUND_NODES
  if (nodes.length === 0 || most < 1) return []
  const columns: readonly Column<TopNode>[] = [
    { title: 'NODE', value: node => node.id, align: 'right' },
    { title: 'HOST', value: node => node.hostname },
    { title: 'CPUS', value: node => node.num_cpus, align: 'right' },
    { title: 'GIB', value: node => Math.round(node.memory_gb), align: 'right' },
    { title: 'GPUS', value: node => node.num_gpus, align: 'right' },
    { title: 'SINCE', value: node => formatClock(nowMs - Date.parse(node.start_time)), align: 'right' },
  ]
  return [
    '',
    ...renderTable(columns, nodes.slice(0, most), size.columns - 1)
      .trimEnd()
      .split('\n'),
  ]
}
