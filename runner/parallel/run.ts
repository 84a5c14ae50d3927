import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { localTime } from '../ad-hoc/local-time.ts'
import { detectCapacity } from '../capacity/detect.ts'
import { CommandError } from '../command-line/error.ts'
import type { ExitCode } from '../command-line/verb.ts'
import { DATABASE_NAME } from '../defaults.ts'
import { parseRunSettings, type RunFlags, type RunSettings } from '../run-options.ts'
import { createProgress } from '../screen/progress.ts'
import type { Progress } from '../screen/types.ts'
import type { Halt } from './halt.ts'
import { openJoblog } from './joblog.ts'
import { type Task, toParallelWorkflow } from './jobs.ts'
import { parseSlots } from './slots.ts'
import { createTell } from './tell.ts'
import { watchTasks } from './watch.ts'

export type TaskRun = {
  /** The options that say where the control plane and the output directory are. */
  flags: Omit<RunFlags, 'target'>
  jobs: string | undefined
  retries: number
  timeoutSeconds: number | undefined
  halt: Halt | undefined
  joblog: { path: string; keep: boolean } | undefined
  keepOrder: boolean
  tag: boolean
  bar: boolean
  isLauncherFile: boolean
}

/** Runs tasks as a workflow of their own through the same runner as any other, and gives the exit code. */
export async function runTasks(tasks: readonly Task[], run: TaskRun): Promise<ExitCode> {
  const settings = parseRunSettings(run.flags, withoutServer(process.env), process.cwd())
  const slots = parseSlots(run.jobs, detectCapacity().cores.ids.length, tasks.length)
  const joblog = run.joblog && openJoblog(run.joblog.path, run.joblog.keep)
  try {
    if (tasks.length === 0) return 0
    const tell = createTell({ joblog, tag: run.tag, sinks: process })
    const watch = watchTasks({ ...run, tasks, slots, tell, stderr: process.stderr })
    const workflow = toParallelWorkflow(`parallel_${localTime(new Date())}`, tasks, run)
    return await inDirectory(settings, run.flags, async placed => {
      const { runWorkflow } = await import('../run-workflow.ts')
      const outcome = await runWorkflow(
        {
          ...placed,
          capacity: { ...placed.capacity, slots },
          target: { kind: 'expansion', workflow },
          known: 'new',
          hooks: watch,
        },
        run.bar ? createProgress(process.stderr, process.env, Date.now) : SILENT,
      )
      if (outcome.kind === 'refused') throw new CommandError(outcome.message, outcome.exitCode)
      return watch.finish()
    })
  } finally {
    joblog?.close()
  }
}

/**
 * Only --url names a server here: every job of ours has the address of its control plane in its environment, and a `parallel` within a job
 * is a matter of its own.
 */
function withoutServer({ HEADRACE_API_URL: _, TORC_API_URL: __, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env
}

/** Nobody asked for progress, and standard error belongs to the jobs. */
const SILENT: Progress = { update() {}, note() {}, end() {} }

/** Nobody looks for the database of a run like this afterwards, unless it was told where to be. */
async function inDirectory<T>(
  settings: RunSettings,
  flags: TaskRun['flags'],
  use: (settings: RunSettings) => Promise<T>,
): Promise<T> {
  const isAsked = flags['output-dir'] !== undefined || flags.db !== undefined
  if (isAsked || settings.controlPlane.kind === 'server') return use(settings)
  const outputDir = mkdtempSync(join(tmpdir(), 'headrace-parallel-'))
  try {
    return await use({
      ...settings,
      outputDir,
      controlPlane: { kind: 'embedded', dbPath: join(outputDir, DATABASE_NAME) },
    })
  } finally {
    rmSync(outputDir, { recursive: true, force: true })
  }
}
