import { existsSync, statSync } from 'node:fs'
import type { Attempt } from '../attempt.ts'
import type { JobHooks } from '../job-hooks.ts'
import type { Loop } from '../loop.ts'
import type { CompletionEntry } from '../wire.ts'
import { type End, endOf, isBrokenOff } from './end.ts'
import { type Halt, isReached } from './halt.ts'
import type { Joblog } from './joblog.ts'
import type { Task } from './jobs.ts'
import { printOutput, type Sinks } from './output.ts'

export type WatchOptions = {
  /** Those that run, in their order. */
  tasks: readonly Task[]
  retries: number
  keepOrder: boolean
  tag: boolean
  halt: Halt | undefined
  joblog: Joblog | undefined
  isLauncherFile: boolean
  sinks: Sinks
}

export type Watch = JobHooks & {
  /** Prints what still waits for its turn. Gives how many jobs did not succeed, those that never ran included. */
  finish(): { failed: number; haltedBy: End | 'success' | undefined }
}

type Ended = { attempt: Attempt; entry: CompletionEntry; end: End; task: Task }

/** Looks at every job as it ends: prints its output, adds it to the job log, and stops the run when that was asked for. */
export function watchTasks(options: WatchOptions): Watch {
  const { tasks, retries, keepOrder, tag, halt, joblog, isLauncherFile, sinks } = options
  const bySeq = new Map(tasks.map(task => [String(task.seq), task]))
  const taskOfJob = new Map<number, Task>()
  /** Printed when all before them are; the others are printed at once. */
  const waiting = new Map<Task, Ended>()
  /** Failed with another try to come: what is known if that never comes. */
  const unsettled = new Map<Task, Ended>()
  let nextToPrint = 0
  let loop: Pick<Loop, 'drain' | 'stop'> | undefined
  let haltedBy: End | 'success' | undefined
  let succeeded = 0
  let failed = 0

  function settle(ended: Ended): void {
    const { task, attempt, entry, end } = ended
    unsettled.delete(task)
    if (isBrokenOff(entry)) return
    joblog?.add({ seq: task.seq, ...end, received: sizeOf(attempt.logs.stdout), command: task.command })
    if (entry.status === 'completed') succeeded++
    else failed++
    if (keepOrder) {
      waiting.set(task, ended)
      printInOrder()
    } else print(ended)
    if (haltedBy === undefined && halt !== undefined && isReached(halt, { failed, succeeded, total: tasks.length })) {
      haltedBy = entry.status === 'completed' ? 'success' : end
      stop(halt, task)
    }
  }

  function stop({ when, what }: Halt, task: Task): void {
    if (what === 'fail') sinks.stderr.write(`Job ${task.seq} failed: ${task.command}\n`)
    if (when === 'now') loop?.stop()
    else loop?.drain()
  }

  function printInOrder(): void {
    for (let next = waiting.get(tasks[nextToPrint]!); next; next = waiting.get(tasks[++nextToPrint]!)) {
      waiting.delete(next.task)
      print(next)
    }
  }

  function print({ task, attempt }: Ended): void {
    printOutput(attempt.logs, tag ? `${task.values.join(' ')}\t` : undefined, sinks)
  }

  return {
    environment(job, grant) {
      const task = bySeq.get(job.name)
      if (task !== undefined) taskOfJob.set(job.id, task)
      const slot = grant.slot ?? 1
      // A TACC launcher counts its processes from 0.
      return { PARALLEL_JOBSLOT: String(slot), ...(isLauncherFile && { LAUNCHER_TSK_ID: String(slot - 1) }) }
    },
    ended(attempt, entry) {
      const task = taskOfJob.get(attempt.jobId)
      if (task === undefined) return
      const ended = { attempt, entry, end: endOf(entry), task }
      const isLast = entry.status === 'completed' || attempt.attemptId >= retries || haltedBy !== undefined
      if (isLast) settle(ended)
      else unsettled.set(task, ended)
    },
    direct(next) {
      loop = next
    },
    finish() {
      for (const ended of unsettled.values()) settle(ended)
      const left = [...waiting.values()].sort((a, b) => a.task.seq - b.task.seq)
      for (const ended of left) print(ended)
      return { failed: tasks.length - succeeded, haltedBy }
    },
  }
}

const sizeOf = (path: string | null): number => (path !== null && existsSync(path) ? statSync(path).size : 0)
