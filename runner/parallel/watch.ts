import type { Attempt } from '../attempt.ts'
import type { ExitCode } from '../command-line/verb.ts'
import type { JobHooks } from '../job-hooks.ts'
import type { Loop } from '../loop.ts'
import type { CompletionEntry } from '../wire.ts'
import { claimInStep } from './claim-in-step.ts'
import { type End, endOf, isBrokenOff } from './end.ts'
import { endExitCode, type Halt, haltExitCode, isReached } from './halt.ts'
import type { Task } from './jobs.ts'
import type { Sinks } from './output.ts'
import type { Tell } from './tell.ts'

export type WatchOptions = {
  /** Those that run, in their order. */
  tasks: readonly Task[]
  /** How many run at once. */
  slots: number
  retries: number
  keepOrder: boolean
  halt: Halt | undefined
  isLauncherFile: boolean
  tell: Tell
  stderr: Sinks['stderr']
}

export type Watch = JobHooks & {
  /** Tells of what still waits for its turn, and gives the exit code. Jobs that never ran did not succeed. */
  finish(): ExitCode
}

type Ended = { attempt: Attempt; entry: CompletionEntry; end: End; task: Task }

/** Looks at every job as it ends: tells of it in its turn, and stops the run when that was asked for. */
export function watchTasks({
  tasks,
  slots,
  retries,
  keepOrder,
  halt,
  isLauncherFile,
  tell,
  stderr,
}: WatchOptions): Watch {
  const bySeq = new Map(tasks.map(task => [String(task.seq), task]))
  const taskOfJob = new Map<number, Task>()
  /** Told when all before them are; the others are told at once. */
  const waiting = new Map<Task, Ended>()
  /** Failed with another try to come: what is known if that never comes. */
  const unsettled = new Map<Task, Ended>()
  const inStep = claimInStep(slots)
  let nextToTell = 0
  let loop: Pick<Loop, 'drain' | 'stop'> | undefined
  let haltedWith: ExitCode | undefined
  let succeeded = 0
  let failed = 0

  function settle(ended: Ended): void {
    const { task, attempt, entry, end } = ended
    unsettled.delete(task)
    if (isBrokenOff(entry)) return
    if (entry.status === 'completed') succeeded++
    else failed++
    if (keepOrder) {
      waiting.set(task, ended)
      tellInOrder()
    } else tell(task, attempt.logs, end)
    const ends = { failed, succeeded, total: tasks.length }
    if (haltedWith === undefined && halt !== undefined && isReached(halt, ends)) {
      haltedWith = haltExitCode(halt, ends, end)
      stop(halt, task)
    }
  }

  function stop({ when, what }: Halt, task: Task): void {
    if (what === 'fail') stderr.write(`Job ${task.seq} failed: ${task.command}\n`)
    if (when === 'now') loop?.stop()
    else loop?.drain()
  }

  function tellInOrder(): void {
    for (let next = waiting.get(tasks[nextToTell]!); next; next = waiting.get(tasks[++nextToTell]!)) {
      waiting.delete(next.task)
      tell(next.task, next.attempt.logs, next.end)
    }
  }

  return {
    environment(job, grant) {
      const task = bySeq.get(job.name)
      if (task !== undefined) taskOfJob.set(job.id, task)
      const slot = grant.slot ?? 1
      return { PARALLEL_JOBSLOT: String(slot), ...(isLauncherFile && launcherVariables(slot, slots)) }
    },
    ended(attempt, entry) {
      inStep.ended()
      const task = taskOfJob.get(attempt.jobId)
      if (task === undefined) return
      const ended = { attempt, entry, end: endOf(entry), task }
      const isLast = entry.status === 'completed' || attempt.attemptId >= retries || haltedWith !== undefined
      if (isLast) settle(ended)
      else unsettled.set(task, ended)
    },
    direct(next) {
      loop = next
    },
    // Ahead of a free slot nothing may start where each end can be the last.
    watch: halt === undefined ? undefined : inStep.watch,
    finish() {
      for (const ended of unsettled.values()) settle(ended)
      const left = [...waiting.values()].sort((a, b) => a.task.seq - b.task.seq)
      for (const { task, attempt, end } of left) tell(task, attempt.logs, end)
      return haltedWith ?? endExitCode(halt, tasks.length - succeeded, tasks.length)
    },
  }
}

/** What a TACC launcher tells its processes, which it counts from 0: where they are among those that run at once on its hosts. */
const launcherVariables = (slot: number, slots: number): Record<string, string> => ({
  LAUNCHER_TSK_ID: String(slot - 1),
  LAUNCHER_NPROCS: String(slots),
  LAUNCHER_PPN: String(slots),
  LAUNCHER_NHOSTS: '1',
})
