import { clean } from './text.ts'

/** What `GET /jobs/{id}/explain` says. */
export type Explanation = {
  job_id: number
  workflow_id: number
  name: string
  status: string
  reasons: { code: string; message: string }[]
  dependencies: { job_id: number; name: string; status: string }[]
  unfinished_dependencies: number
}

/** Why a job is not running, for people. */
export function renderExplanation(explanation: Explanation): string {
  const { job_id, workflow_id, name, status, reasons, dependencies, unfinished_dependencies } = explanation
  const more = unfinished_dependencies - dependencies.length
  return [
    `Job ${job_id} (${clean(name)}) of workflow ${workflow_id} is ${status}.`,
    ...reasons.map(({ message }) => `  ${clean(message)}`),
    ...dependencies.map(
      dependency => `    ${clean(dependency.name)} (job ${dependency.job_id}) is ${dependency.status}`,
    ),
    ...(more > 0 && dependencies.length > 0 ? [`    … and ${more} more`] : []),
    '',
  ].join('\n')
}
