import type { ClaimedJob } from './wire.ts'

/** What every job of a run sees, beside its own variables. */
export type RunFacts = {
  apiUrl: string
  outputDir: string
  runId: number
  submissionDirectory?: string
}

/**
 * The variables around a job (spec-format.md 18, 26.10): its own map, then GPUs, then those of the service, which win. null takes a
 * variable away: the runner's own credentials never reach a job.
 */
export function jobEnvironment(
  job: ClaimedJob,
  gpus: readonly string[],
  facts: RunFacts,
): Record<string, string | null> {
  const env: Record<string, string | null> = { HEADRACE_TOKEN: null, TORC_PASSWORD: null, ...job.env }
  if (job.resource_requirements.num_gpus > 0) {
    const list = gpus.join(',')
    for (const name of GPU_VARIABLES) env[name] = list
  }
  env.TORC_WORKFLOW_ID = String(job.workflow_id)
  env.TORC_JOB_ID = String(job.id)
  env.TORC_JOB_NAME = job.name
  env.TORC_OUTPUT_DIR = facts.outputDir
  env.TORC_ATTEMPT_ID = String(job.attempt_id)
  env.TORC_RUN_ID = String(facts.runId)
  env.TORC_API_URL = facts.apiUrl
  if (facts.submissionDirectory !== undefined) env.TORC_WORKFLOW_SUBMISSION_DIR = facts.submissionDirectory
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
