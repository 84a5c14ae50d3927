import { hostname } from 'node:os'
import { must } from '../client/must.ts'
import type { Client } from '../client.ts'
import { runLogged } from '../run-logged.ts'
import { placesIn } from './directory.ts'
import type { PipeRun } from './wire.ts'

/** What is told of a step that could not even begin: the run must not wait for it for ever. */
const NEVER_RAN = 127

/**
 * Runs the step after a run, if this process is the one that gets it; the control plane gives it to one only. Tells its exit code, and
 * gives the run as it is then; undefined when somebody else has it, or it is not due.
 */
export async function runPostStep(
  client: Client,
  run: PipeRun,
  note: (line: string) => void,
): Promise<PipeRun | undefined> {
  if (run.post_step === undefined || run.post_state !== 'due') return undefined
  const by = `${hostname()} process ${process.pid}`
  const path = `/pipe_runs/${run.id}/post_step`
  const { claimed } = await must(client.request<{ claimed: boolean }>('POST', `${path}/claim`, { by }))
  if (!claimed) return undefined
  const log = placesIn(run.directory).postLog
  const returnCode = await runStep(run.post_step, run, log).catch((error: Error) => {
    note(`Pipe run ${run.id}: its post step could not be run: ${error.message}`)
    return NEVER_RAN
  })
  if (returnCode !== 0) note(`Pipe run ${run.id}: its post step ended with ${returnCode}: ${log}`)
  return must(client.request<PipeRun>('POST', path, { return_code: returnCode }))
}

/** In the directory where the jobs ran; what it prints goes into the run directory. */
function runStep(command: string, run: PipeRun, log: string): Promise<number> {
  const { by_status: counts } = run.members
  return runLogged(command, log, {
    cwd: run.spec.cwd,
    env: {
      ...process.env,
      HEADRACE_PIPE_RUN: String(run.id),
      HEADRACE_PIPE_DIRECTORY: run.directory,
      HEADRACE_PIPE_FAMILY: run.key.family,
      HEADRACE_PIPE_COMPLETED: String(counts.completed),
      HEADRACE_PIPE_FAILED: String(counts.failed + counts.terminated + counts.canceled),
    },
  })
}
