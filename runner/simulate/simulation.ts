import type { Attempt } from '../attempt.ts'
import type { ClaimedJob } from '../wire.ts'
import type { Prepare } from '../work.ts'
import { type Distribution, secondsOf } from './distribution.ts'
import { SIMULATED_PROGRAM } from './launcher.ts'

/** How a run goes that starts no process. */
export type Simulation = { distribution: Distribution; seed: number }

/** What a simulated job is: a time to pass, without logs and without outputs to look for. */
export function simulated(
  { attempt, env }: ReturnType<Prepare>,
  job: ClaimedJob,
  { distribution, seed }: Simulation,
): ReturnType<Prepare> {
  const runtimeSeconds = job.resource_requirements.runtime_seconds
  const seconds = secondsOf(distribution, { runtimeSeconds, attempt: `${job.id}.${job.attempt_id}`, seed })
  const silent: Attempt = { ...attempt, outputs: [], logs: { stdout: null, stderr: null }, deleteLogsOnSuccess: false }
  return { attempt: silent, argv: [SIMULATED_PROGRAM, String(seconds)], env }
}
