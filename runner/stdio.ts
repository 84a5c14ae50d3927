import { join } from 'node:path'

export const STDIO_MODES = ['separate', 'combined', 'no_stdout', 'no_stderr', 'none'] as const
export type StdioMode = (typeof STDIO_MODES)[number]
export type Stdio = { mode: StdioMode; deleteOnSuccess: boolean }

const DEFAULT: Stdio = { mode: 'separate', deleteOnSuccess: false }

type StdioConfig = { mode?: string; delete_on_success?: boolean }
/** The parts of a workflow's execution_config that say where output goes (spec-format.md 11.3). */
export type StdioSettings = { stdio?: StdioConfig; job_stdio_overrides?: Record<string, StdioConfig> }

/** The setting for one job. An override replaces the workflow's setting as a whole: nothing is inherited. */
export function stdioOf(jobName: string, settings: StdioSettings): Stdio {
  const config = settings.job_stdio_overrides?.[jobName] ?? settings.stdio
  if (config === undefined) return DEFAULT
  const mode = STDIO_MODES.find(known => known === config.mode) ?? DEFAULT.mode
  return { mode, deleteOnSuccess: config.delete_on_success ?? false }
}

/** Which files a job's output goes to: null = thrown away, `stderr: 'stdout'` = into the same file. */
export type LogFiles = { stdout: string | null; stderr: string | 'stdout' | null }

/** The log files of one attempt, named as spec-format.md 18.1 says, below the output directory. */
export function logFiles(
  outputDir: string,
  mode: StdioMode,
  job: { workflowId: number; jobId: number; runId: number; attemptId: number },
): LogFiles {
  const stem = join(outputDir, 'job_stdio', `job_wf${job.workflowId}_j${job.jobId}_r${job.runId}_a${job.attemptId}`)
  switch (mode) {
    case 'separate':
      return { stdout: `${stem}.o`, stderr: `${stem}.e` }
    case 'combined':
      return { stdout: `${stem}.log`, stderr: 'stdout' }
    case 'no_stdout':
      return { stdout: null, stderr: `${stem}.e` }
    case 'no_stderr':
      return { stdout: `${stem}.o`, stderr: null }
    case 'none':
      return { stdout: null, stderr: null }
  }
}

/** The paths of log files that exist for a mode, standard error first: the end of it tells most about a failure. */
export function logPaths(files: LogFiles): string[] {
  return [files.stderr, files.stdout].filter((path): path is string => path !== null && path !== 'stdout')
}
