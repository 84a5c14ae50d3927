import { leftoversOf } from './schedulers/leftovers.ts'
import type { ClaimedJob } from './wire.ts'

/** What every job of a run sees, beside its own variables. */
export type RunFacts = Readonly<{
  workflowId: number
  apiUrl: string
  outputDir: string
  runId: number
  submissionDirectory?: string
  /** What its jobs show to the server, where that asks for something. */
  jobToken?: string
}>

/**
 * The variables around a job (spec-format.md 18, 26.10): its own map, then GPUs, then those of the service, which win. null takes a
 * variable away: the runner's own credentials never reach a job, which has a token of its own where tokens are on.
 */
export function jobEnvironment(
  job: ClaimedJob,
  gpus: readonly string[],
  facts: RunFacts,
): Record<string, string | null> {
  const env: Record<string, string | null> =
    job.env === undefined ? { ...commonOf(facts) } : { ...TAKEN_AWAY, ...job.env }
  if (job.resource_requirements.num_gpus > 0) {
    const list = gpus.join(',')
    for (const name of GPU_VARIABLES) env[name] = list
  }
  if (job.env !== undefined) setRunVariables(env, facts)
  setAttemptVariables(env, job.id, job.name, job.attempt_id)
  return env
}

/** What opens a control plane, or its database. */
const CREDENTIALS = ['HEADRACE_TOKEN', 'HEADRACE_TOKEN_FILE', 'HEADRACE_DB_TOKEN', 'TORC_PASSWORD']

/** Of the runner's own environment, which nothing changes: looked for once. */
const TAKEN_AWAY: Record<string, null | string> = {
  ...leftoversOf(process.env),
  ...Object.fromEntries(CREDENTIALS.map(name => [name, null] as const)),
}

const common = new WeakMap<RunFacts, Record<string, string | null>>()

/** What all jobs of a run have that bring no environment of their own. Made once, and copied faster than set. */
function commonOf(facts: RunFacts): Record<string, string | null> {
  const made = common.get(facts)
  if (made !== undefined) return made
  const env = { ...TAKEN_AWAY }
  setRunVariables(env, facts)
  // Only their places: what a copy has already is set faster than what is new to it.
  setAttemptVariables(env, 0, '', 0)
  common.set(facts, env)
  return env
}

// Set one by one: an engine copies objects into each other many times slower, and every job comes through here.

/** What identifies an attempt to its job and to its recovery script. */
function setAttemptVariables(env: Record<string, unknown>, jobId: number, name: string, attemptId: number): void {
  env.TORC_JOB_ID = String(jobId)
  env.TORC_JOB_NAME = name
  env.TORC_ATTEMPT_ID = String(attemptId)
}

/** What identifies a run to everything that a runner starts (spec-format.md 26.10). */
function setRunVariables(env: Record<string, unknown>, facts: RunFacts): void {
  env.TORC_WORKFLOW_ID = String(facts.workflowId)
  env.TORC_OUTPUT_DIR = facts.outputDir
  env.TORC_RUN_ID = String(facts.runId)
  env.TORC_API_URL = facts.apiUrl
  // Torc's clients have no other place for a token than that of the password.
  if (facts.jobToken !== undefined) env.HEADRACE_TOKEN = env.TORC_PASSWORD = facts.jobToken
  if (facts.submissionDirectory !== undefined) env.TORC_WORKFLOW_SUBMISSION_DIR = facts.submissionDirectory
}

/** The runner's own environment without its credentials. */
function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !CREDENTIALS.includes(name)))
}

/** The whole environment of a recovery script: that of the runner, the job's own, and the attempt with its return code. */
export function recoveryEnvironment(
  job: { id: number; name: string; env: Record<string, string> | undefined; attemptId: number; returnCode: number },
  facts: RunFacts,
): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...inherited(), ...job.env }
  setRunVariables(env, facts)
  setAttemptVariables(env, job.id, job.name, job.attemptId)
  env.TORC_RETURN_CODE = String(job.returnCode)
  return env
}

/** The whole environment of an action's commands: that of the runner and the run's. */
export function actionEnvironment(facts: RunFacts): NodeJS.ProcessEnv {
  const env = inherited()
  setRunVariables(env, facts)
  return env
}

const GPU_VARIABLES = [
  'CUDA_VISIBLE_DEVICES',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'TORC_GPU_VISIBLE_DEVICES',
]

/**
 * The shell text of a job. An invocation script of one line wraps the command as its arguments; one of several lines is a preamble
 * in the same shell; a blank one is nothing (spec-format.md 18).
 */
export function shellText(command: string, invocationScript: string | undefined): string {
  if (invocationScript === undefined || invocationScript.trim() === '') return command
  if (!invocationScript.includes('\n')) return `${invocationScript.trim()} ${command}`
  return `${invocationScript.trimEnd()}\n${command}`
}
