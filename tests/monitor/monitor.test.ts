import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'libsql'
import { describe, expect, test } from 'vitest'
import type { Granularity, MonitorConfig } from '../../runner/monitor/config.ts'
import { createMonitor, type Monitor } from '../../runner/monitor/monitor.ts'
import type { Seen } from '../../runner/monitor/process-table.ts'
import type { Watched } from '../../runner/monitor/watch.ts'
import { makeDirectory } from '../launcher/harness.ts'

const START_MS = 1_800_000_000_000

type Made = { monitor: Monitor; path: string; troubles: string[]; tick(seconds: number): number }

function make(
  config: Partial<MonitorConfig>,
  path = join(makeDirectory(), 'resource_utilization', 'metrics.db'),
): Made {
  let now = START_MS
  const troubles: string[] = []
  const monitor = createMonitor({
    workflowId: 1,
    config: { sampleMs: 10_000, flushMs: 300_000, jobs: undefined, node: undefined, ...config },
    path,
    clock: () => now,
    onTrouble: message => troubles.push(message),
  })
  return { monitor, path, troubles, tick: seconds => (now += seconds * 1000) }
}

const watched = (id: number): Watched => ({
  tag: id,
  job: { id, name: `job ${id}`, workflowId: 1 },
  pid: 1000 + id,
  startedAtMs: START_MS,
})

const seen = (cpuMs: number, residentBytes: number): Seen => ({
  pid: 1001,
  parent: 5,
  group: 1001,
  cpuMs,
  residentBytes,
})

function rowsOf(path: string, table: string): unknown[] {
  const database = new Database(path, { readonly: true })
  try {
    return database.prepare(`SELECT * FROM ${table}`).all()
  } finally {
    database.close()
  }
}

function columnsOf(path: string, table: string): string[] {
  const database = new Database(path, { readonly: true })
  try {
    return database
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map(row => (row as { name: string }).name)
  } finally {
    database.close()
  }
}

const node = (granularity: Granularity, wanted = { cpu: true, memory: true }) => ({ granularity, ...wanted })

describe('createMonitor()', () => {
  test('keeps a series of jobs as the tables of spec-format.md 18.1 have it', async () => {
    const { monitor, path, tick } = make({ jobs: 'time_series' })
    const job = watched(7)
    monitor.look(new Map([[job, [seen(5_000, 100)]]]), tick(10))
    monitor.look(new Map([[job, [seen(5_000, 300), { ...seen(1_000, 50), pid: 1002 }]]]), tick(10))
    await monitor.close()
    expect(columnsOf(path, 'job_resource_samples')).toEqual([
      'job_id',
      'timestamp',
      'cpu_percent',
      'memory_bytes',
      'num_processes',
    ])
    expect(rowsOf(path, 'job_resource_samples')).toEqual([
      { job_id: 7, timestamp: START_MS / 1000 + 10, cpu_percent: 50, memory_bytes: 100, num_processes: 1 },
      { job_id: 7, timestamp: START_MS / 1000 + 20, cpu_percent: 10, memory_bytes: 350, num_processes: 2 },
    ])
    expect(rowsOf(path, 'job_metadata')).toEqual([{ job_id: 7, job_name: 'job 7' }])
    expect(rowsOf(path, 'system_resource_samples')).toEqual([])
    expect(rowsOf(path, 'system_resource_summary')).toEqual([])
  })

  test('writes at the flush interval, and adds to a file that is there', async () => {
    const { monitor, path, tick } = make({ jobs: 'time_series', flushMs: 20_000 })
    const look = () => monitor.look(new Map([[watched(1), [seen(0, 1)]]]), tick(10))
    look()
    expect(existsSync(path)).toBe(false)
    look()
    await expect.poll(() => existsSync(path) && rowsOf(path, 'job_resource_samples')).toHaveLength(2)
    await monitor.close()
    const again = make({ jobs: 'time_series' }, path)
    again.monitor.look(new Map([[watched(1), [seen(0, 1)]]]), again.tick(10))
    await again.monitor.close()
    expect(rowsOf(path, 'job_resource_samples')).toHaveLength(3)
  })

  test('makes no file for a summary of jobs, and puts it into their exits', async () => {
    const { monitor, path, tick } = make({ jobs: 'summary' })
    const job = watched(1)
    monitor.look(new Map([[job, [seen(20_000, 500)]]]), tick(10))
    monitor.look(new Map([[job, [seen(20_000, 100)]]]), tick(10))
    const exited = {
      tag: 1,
      startedAtMs: START_MS,
      exitedAtMs: START_MS + 20_000,
      userMs: 19_000,
      systemMs: 1_000,
      strays: 0,
    }
    monitor.ended?.(job, exited)
    expect(exited).toMatchObject({
      measured: { peakCpuPercent: 200, avgCpuPercent: 100, peakMemoryBytes: 500, avgMemoryBytes: 300 },
    })
    await monitor.close()
    expect(existsSync(dirname(path))).toBe(false)
  })

  test('samples no job that runs elsewhere than in its process', () => {
    const { monitor, tick } = make({ jobs: 'summary' })
    const one = watched(1)
    const now = tick(10)
    expect(monitor.wants(one, now)).toBe(true)
    expect(monitor.wants({ ...one, job: { ...one.job, runsElsewhere: true } }, now)).toBe(false)
  })

  test('samples the node at least once, and tells what it used', async () => {
    const { monitor, path } = make({ node: node('time_series') })
    expect(monitor.nodeUsage()).toEqual({})
    await monitor.close()
    const usage = monitor.nodeUsage()
    expect(usage.sample_count).toBe(1)
    expect(usage.peak_memory_bytes).toBeGreaterThan(0)
    expect(rowsOf(path, 'system_resource_samples')).toEqual([
      {
        timestamp: START_MS / 1000,
        cpu_percent: usage.peak_cpu_percent,
        memory_bytes: usage.peak_memory_bytes,
        total_memory_bytes: expect.any(Number),
      },
    ])
    expect(rowsOf(path, 'system_resource_summary')).toEqual([usage])
  })

  test('leaves out what is not wanted of a node', async () => {
    const { monitor, path } = make({ node: node('time_series', { cpu: false, memory: true }) })
    await monitor.close()
    expect(monitor.nodeUsage().peak_cpu_percent).toBeUndefined()
    expect(rowsOf(path, 'system_resource_samples')).toMatchObject([
      { cpu_percent: null, memory_bytes: expect.any(Number) },
    ])
  })

  test('keeps no series of a node where a summary is wanted', async () => {
    const { monitor, path } = make({ node: node('summary') })
    await monitor.close()
    expect(rowsOf(path, 'system_resource_samples')).toEqual([])
    expect(rowsOf(path, 'system_resource_summary')).toHaveLength(1)
  })

  test('says once that it cannot write, and goes on', async () => {
    const directory = makeDirectory()
    const path = join(directory, 'resource_utilization', 'metrics.db')
    mkdirSync(join(path, 'in the way'), { recursive: true })
    const { monitor, troubles, tick } = make({ jobs: 'time_series', flushMs: 10_000 }, path)
    for (let look = 0; look < 3; look++) monitor.look(new Map([[watched(1), [seen(0, 1)]]]), tick(10))
    await monitor.close()
    expect(troubles).toHaveLength(1)
  })
})
