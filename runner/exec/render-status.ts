import { counted, formatBytes, formatSeconds } from '../screen/format.ts'
import { type Column, renderTable } from '../screen/table.ts'
import type { LaunchStatus, NodeStatus } from './status.ts'

/** The node's state for people. */
export function renderNodeStatus(status: NodeStatus, now: number, width: number): string {
  const { total, free, holding, waiting, pid, records } = status
  const lines = [
    `Process ${pid} lends ${counted(total.cpus, 'core')}, ${formatBytes(total.memory_bytes)} and ${counted(total.gpus, 'GPU')}; free: ${free.cpus}, ${formatBytes(free.memory_bytes)} and ${free.gpus}.`,
    `${holding.length} running, ${waiting.length} waiting.`,
  ]
  if (records.dropped > 0) lines.push(`${records.dropped} records are lost, as the disk was full for too long.`)
  const rows = [...holding, ...waiting]
  if (rows.length > 0) lines.push('', renderTable(columnsAt(now), rows, width))
  return lines.join('\n')
}

const columnsAt = (now: number): readonly Column<LaunchStatus>[] => [
  { title: 'STATE', value: row => (row.started_at === undefined ? 'waits' : 'runs') },
  { title: 'PID', value: row => row.pid, align: 'right' },
  { title: 'CORES', value: row => row.cores?.join(',') || String(row.cpus) },
  { title: 'GPUS', value: row => row.gpu_ids?.join(',') || String(row.gpus) },
  { title: 'MEMORY', value: row => (row.memory_bytes > 0 ? formatBytes(row.memory_bytes) : ''), align: 'right' },
  { title: 'FOR', value: row => formatSeconds((now - (row.started_at ?? row.asked_at)) / 1000), align: 'right' },
  { title: 'COMMAND', value: row => row.command },
]
