import { join } from 'node:path'
import { createMemoryGuard } from './failure/memory-guard.ts'
import { memoryLimitOf } from './failure/memory-limit.ts'
import { closeMemoryGroups, openMemoryGroups } from './launcher/memory-groups.ts'
import type { WatchedJob } from './launcher/types.ts'
import { createLogCap } from './logs/cap.ts'
import { readMonitorConfig } from './monitor/config.ts'
import { createMonitor, type Monitor, type NodeUsage } from './monitor/monitor.ts'
import { type OpenLauncher, watchLaunches } from './monitor/watch.ts'
import type { Serving, Servings } from './serving.ts'
import { type LogFiles, logFiles, logPaths, stdioOf } from './stdio.ts'
import type { TakenOver } from './take-over.ts'
import type { ClaimedJob } from './wire.ts'

/** What a run measures of its jobs and its node, and the memory it holds jobs to. */
export type Accounting = {
  /** The cgroup in which launchers limit the memory of jobs; absent where that cannot be had. */
  memoryGroups: string | undefined
  /** The launcher with its jobs watched. */
  launcher(open: OpenLauncher): OpenLauncher
  /** What is watched of a job that is about to be launched. */
  watched(job: ClaimedJob, serving: Serving, logs?: LogFiles): WatchedJob
  /** Watches what a former runner has left running, from the next launcher on. */
  adopt(takenOver: TakenOver, servings: Servings): void
  /** Writes what was measured. */
  close(): Promise<void>
}

export type AccountingOptions = {
  outputDir: string
  /** Tells this runner from others that write to the same output directory. */
  label: string
  /** Queue-depth mode: nobody is held to requirements. */
  bySlots: boolean
  /** Log files of jobs are kept to this size; absent = they grow as they will. */
  maxLogBytes?: number
  note(line: string): void
}

/** Opens the accounts of a run. Each workflow says itself what it wants measured, and whether its jobs are held to what they asked for. */
export function openAccounting({ outputDir, label, bySlots, maxLogBytes, note }: AccountingOptions): Accounting {
  const watch = watchLaunches()
  const known = new WeakSet<Serving>()
  const measured = new Set<Serving>()
  const memoryGroups = bySlots ? undefined : openMemoryGroups()
  let isGuarded = false
  if (maxLogBytes !== undefined) watch.add(createLogCap(maxLogBytes))

  function openAccounts(serving: Serving): void {
    known.add(serving)
    const { workflowId, workflow } = serving
    const config = readMonitorConfig(workflow.resource_monitor_config)
    if (config === undefined) return
    const name = `resource_metrics_${label}_wf${workflowId}_r${workflow.run_id}.db`
    const monitor = createMonitor({
      workflowId,
      config,
      path: join(outputDir, 'resource_utilization', name),
      clock: Date.now,
      onTrouble: message => note(`The samples of workflow ${workflowId} cannot be written: ${message}`),
    })
    watch.add(monitor)
    measured.add(serving)
    let usage: Promise<NodeUsage> | undefined
    serving.endAccounts = () => {
      usage ??= end(serving, monitor)
      return usage
    }
  }

  async function end(serving: Serving, monitor: Monitor): Promise<NodeUsage> {
    known.delete(serving)
    measured.delete(serving)
    watch.remove(monitor)
    await monitor.close()
    return monitor.nodeUsage()
  }

  function watched(job: ClaimedJob, serving: Serving, logs?: LogFiles): WatchedJob {
    if (!known.has(serving)) openAccounts(serving)
    const limitResources = serving.workflow.execution_config?.limit_resources ?? true
    const memoryLimitBytes = memoryLimitOf(job, { limitResources, bySlots })
    if (memoryLimitBytes !== undefined && !isGuarded) {
      isGuarded = true
      watch.add(createMemoryGuard({ kill: tag => watch.kill(tag), note }))
    }
    return {
      id: job.id,
      name: job.name,
      workflowId: job.workflow_id,
      memoryLimitBytes,
      logPaths: maxLogBytes === undefined || logs === undefined ? undefined : logPaths(logs),
    }
  }

  return {
    memoryGroups,
    launcher: open => watch.around(open),
    adopt({ adoption, jobs }, servings) {
      const pids = new Map(adoption.running.map(({ tag, pid }) => [tag, pid]))
      for (const { tag, job, startedAtMs } of jobs) {
        const pid = pids.get(tag)
        if (pid === undefined) continue
        const serving = servings.of(job.workflow_id)
        const { workflowId, workflow } = serving
        const { mode } = stdioOf(job.name, workflow.execution_config ?? {})
        const attempt = { workflowId, jobId: job.id, runId: workflow.run_id, attemptId: job.attempt_id }
        const logs = logFiles(outputDir, mode, attempt)
        watch.adopt({ tag, pid, startedAtMs, job: watched(job, serving, logs) })
      }
    },
    watched,
    async close() {
      watch.close()
      if (memoryGroups !== undefined) closeMemoryGroups(memoryGroups)
      for (const serving of [...measured]) await serving.endAccounts?.()
    },
  }
}
