import { hostSystem } from '../capacity/system.ts'
import type { Exited } from '../launcher/types.ts'
import type { MonitorConfig } from './config.ts'
import { JobMeter, type Measured, Summary, tenths } from './meter.ts'
import { MetricsFile } from './metrics-file.ts'
import { NodeMeter } from './node-meter.ts'
import type { Watched, Watcher } from './watch.ts'

/** The kernel counts CPU time in hundredths of a second: of a younger job that would be mostly rounding. */
const YOUNG_MS = 500

/** What a runner tells of its whole node at its end; empty when nobody asked. */
export type NodeUsage = {
  sample_count?: number
  peak_cpu_percent?: number
  avg_cpu_percent?: number
  peak_memory_bytes?: number
  avg_memory_bytes?: number
}

export type Monitor = Watcher & {
  nodeUsage(): NodeUsage
  /** Writes what is not written yet. */
  close(): Promise<void>
}

export type MonitorOptions = {
  /** Jobs of others are passed by. */
  workflowId: number
  config: MonitorConfig
  /** Where series go; made when there is one. */
  path: string
  clock: () => number
  /** The file cannot be written: what would go there is lost, and the jobs go on. */
  onTrouble(message: string): void
}

/** Samples jobs and the node as the workflow wants it. */
export function createMonitor({ workflowId, config, path, clock, onTrouble }: MonitorOptions): Monitor {
  const { jobs, node, sampleMs, flushMs } = config
  const meters = new Map<Watched, JobMeter>()
  const nodeMeter = node && new NodeMeter(hostSystem())
  const nodeSummary = new Summary()
  const file = jobs === 'time_series' || node !== undefined ? new MetricsFile(path) : undefined
  let flushAtMs = clock() + flushMs
  let isBroken = false
  let isClosing = false
  let writing = Promise.resolve()

  async function write(): Promise<void> {
    if (isBroken) return
    try {
      await file?.flush(node && { count: nodeSummary.count, measured: measuredNode() })
    } catch (error) {
      // Whoever reads from it is done by the next time.
      if (isBusy(error) && !isClosing) return
      isBroken = true
      onTrouble((error as Error).message)
    }
  }

  function flush(): Promise<void> {
    writing = writing.then(write)
    return writing
  }

  function lookAtNode(now: number): void {
    if (nodeMeter === undefined || node === undefined) return
    const sample = nodeMeter.look()
    nodeSummary.add(sample)
    if (node.granularity === 'time_series' && !isBroken) file?.addNode(now, node, sample)
  }

  function measuredNode(): Measured {
    const { peakCpuPercent, avgCpuPercent, peakMemoryBytes, avgMemoryBytes } = nodeSummary.measured()
    return {
      ...(node?.cpu && { peakCpuPercent, avgCpuPercent }),
      ...(node?.memory && { peakMemoryBytes, avgMemoryBytes }),
    }
  }

  return {
    everyMs: sampleMs,
    wants: ({ job, startedAtMs }, now) =>
      jobs !== undefined &&
      job.workflowId === workflowId &&
      job.runsElsewhere !== true &&
      now - startedAtMs >= YOUNG_MS,
    needsProcesses: true,
    worksWhenIdle: node !== undefined,
    look(processes, now) {
      for (const [watched, seen] of processes) {
        const meter = meters.get(watched) ?? new JobMeter(watched.startedAtMs)
        meters.set(watched, meter)
        const sample = meter.look(seen, now)
        if (jobs === 'time_series' && !isBroken) file?.addJob(watched.job, now, sample)
      }
      lookAtNode(now)
      if (now < flushAtMs) return
      flushAtMs = now + flushMs
      void flush()
    },
    ended(watched, exited) {
      if (jobs === undefined || watched.job.workflowId !== workflowId) return
      const measured = meters.get(watched)?.summary.measured() ?? {}
      meters.delete(watched)
      exited.measured = withExactCpu(measured, exited)
    },
    nodeUsage() {
      if (nodeSummary.count === 0) return {}
      const measured = measuredNode()
      return {
        sample_count: nodeSummary.count,
        peak_cpu_percent: measured.peakCpuPercent,
        avg_cpu_percent: measured.avgCpuPercent,
        peak_memory_bytes: measured.peakMemoryBytes,
        avg_memory_bytes: measured.avgMemoryBytes,
      }
    },
    async close() {
      isClosing = true
      // A run that is shorter than the interval has its sample too.
      lookAtNode(clock())
      await flush()
    },
  }
}

const isBusy = (error: unknown): boolean => String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')

/** What the kernel counted is exact, however short the job; samples are for the peak, which they may have missed. */
function withExactCpu(measured: Measured, { startedAtMs, exitedAtMs, userMs, systemMs }: Exited): Measured {
  const elapsedMs = exitedAtMs - startedAtMs
  if (elapsedMs <= 0) return measured
  const avgCpuPercent = tenths((100 * (userMs + systemMs)) / elapsedMs)
  measured.avgCpuPercent = avgCpuPercent
  if (measured.peakCpuPercent !== undefined) measured.peakCpuPercent = Math.max(measured.peakCpuPercent, avgCpuPercent)
  return measured
}
