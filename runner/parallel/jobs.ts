import { plainJob, plainWorkflow } from '../../api/core/spec/exec.ts'
import type { ExpandedJob, ExpandedWorkflow } from '../../api/core/spec/types.ts'
import { type Item, SLOT } from './template.ts'

/** A job of `parallel` before it is one of a workflow. */
export type Task = Item & { command: string; usesSlot: boolean }

export type TaskLimits = { retries: number; timeoutSeconds: number | undefined; isLauncherFile: boolean }

/** The slot is known when the job starts, so the command is put together there. `m` is what stands for it. */
const WITH_SLOT = `m='${SLOT}'; eval "\${PARALLEL_COMMAND//"$m"/$PARALLEL_JOBSLOT}"`

/** A workflow of the tasks that are left to do, in their order; a job is called by its number. */
export function toParallelWorkflow(name: string, tasks: readonly Task[], limits: TaskLimits): ExpandedWorkflow {
  return plainWorkflow(
    name,
    tasks.map(task => toJob(task, limits, tasks.length)),
  )
}

function toJob({ seq, command, usesSlot }: Task, limits: TaskLimits, count: number): ExpandedJob {
  return {
    ...plainJob(String(seq), usesSlot ? WITH_SLOT : command),
    env: {
      PARALLEL_SEQ: String(seq),
      ...(usesSlot && { PARALLEL_COMMAND: command }),
      // What commands of a TACC launcher file know about themselves.
      ...(limits.isLauncherFile && { LAUNCHER_JID: String(seq), LAUNCHER_NJOBS: String(count) }),
    },
    timeLimitSeconds: limits.timeoutSeconds,
    retry:
      limits.retries > 1
        ? {
            max: limits.retries - 1,
            backoffSeconds: 0,
            backoffMaxSeconds: 0,
            on: [],
            memoryFactor: undefined,
            runtimeFactor: undefined,
            maxMemoryBytes: undefined,
            maxRuntimeSeconds: undefined,
          }
        : undefined,
  }
}
