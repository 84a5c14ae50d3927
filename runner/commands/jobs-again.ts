import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, IN_WORKFLOW } from '../command-line/options.ts'
import { print, printJsonList } from '../command-line/output.ts'
import { defineVerb, type ExitCode } from '../command-line/verb.ts'
import type { ControlPlane, ControlPlaneFlags } from '../control-plane.ts'
import { type Fields, optionsOf, readFields } from '../nouns/fields.ts'
import { expectValue, formatOf, jobId, summaryOf, withControlPlane } from './ask.ts'

/** Verbs that decide about jobs that have ended. */

type Job = { id: number; name: string; status: string; workflow_id: number }

const ARGS = {
  job: { type: 'positional', required: true, valueHint: 'JOB…', description: 'ids or names of jobs' },
  ...IN_WORKFLOW,
  ...FORMAT,
  ...CONTROL_PLANE,
} as const

/** More attempts than this are never asked for. */
const MOST_ATTEMPTS = 1_000

export const retryJobs = defineVerb({
  about: 'Give failed jobs another attempt at once. Jobs below them that were canceled wait for it.',
  args: {
    ...ARGS,
    'max-retries': {
      type: 'string',
      valueHint: 'N',
      description: `refuse a job that has had N attempts (default: ${MOST_ATTEMPTS})`,
    },
  },
  examples: ['jobs retry 17', 'jobs retry mesh solve --workflow 3'],
  repeatsLast: true,
  async run(args) {
    const most = countFlag('--max-retries', args['max-retries'], 1) ?? MOST_ATTEMPTS
    return forEachJob(args, 'retry', async (controlPlane, job, doing) => {
      const { run_id } = await summaryOf(controlPlane, job.workflow_id, doing)
      return controlPlane.client.request<Job>('POST', `/jobs/${job.id}/retry/${run_id}?max_retries=${most}`)
    })
  },
})

export const resetJobs = defineVerb({
  about:
    'Put jobs and what hangs below them back to the state before they were initialised. `run` and `workflows reinit` go on from there.',
  args: ARGS,
  examples: ['jobs reset 17', 'jobs reset mesh --workflow 3'],
  repeatsLast: true,
  run: args =>
    forEachJob(args, 'reset', async (controlPlane, job, doing) => {
      const { run_id } = await summaryOf(controlPlane, job.workflow_id, doing)
      return controlPlane.client.request<Job>('PUT', `/jobs/${job.id}/manage_status_change/uninitialized/${run_id}`)
    }),
})

const CHANGES: Fields = {
  command: { kind: 'text', about: 'another command' },
  env: { kind: 'variables', about: 'another environment' },
  resource_requirements_id: { kind: 'integer', about: 'another set of requirements' },
  time_limit_seconds: { kind: 'integer', about: 'another time limit of its own' },
}

export const putBackJobs = defineVerb({
  about:
    'Put jobs back that failed for good or wait for your decision, with another command, environment or requirements if need be.',
  args: { ...ARGS, ...optionsOf(CHANGES) },
  examples: ['jobs put-back 17', `jobs put-back solve --command './solve --relaxed'`],
  repeatsLast: true,
  async run(args) {
    const change = readFields(CHANGES, args)
    return forEachJob(args, 'put back', ({ client }, job) =>
      client.request<Job>('POST', `/jobs/${job.id}/put_back`, change),
    )
  },
})

export const failJobs = defineVerb({
  about: 'Give jobs up that wait for your decision: they count as failed, and what hangs below them is canceled.',
  args: ARGS,
  examples: ['jobs fail 17'],
  repeatsLast: true,
  run: args => forEachJob(args, 'fail', ({ client }, job) => client.request<Job>('POST', `/jobs/${job.id}/fail`)),
})

type Change = (controlPlane: ControlPlane, job: Job, doing: string) => ReturnType<ControlPlane['client']['request']>
type Flags = ControlPlaneFlags & { format?: string; workflow?: string; _: string[] }

/** Changes one job after the other and shows what became of each. Stops at the first that cannot be changed. */
async function forEachJob(flags: Flags, verb: string, change: Change): Promise<ExitCode> {
  const format = formatOf(flags.format)
  return withControlPlane(flags, async controlPlane => {
    const { client, where } = controlPlane
    const changed: Job[] = []
    for (const text of flags._) {
      const id = await jobId(controlPlane, text, flags.workflow)
      const doing = `${verb} job ${text}`
      const job = expectValue(await client.request<Job>('GET', `/jobs/${id}`), doing, where)
      const after = expectValue(await change(controlPlane, job, doing), doing, where) as Job
      changed.push(after)
      if (format === 'table') print(`Job ${after.id} (${after.name}) is ${after.status}.`)
    }
    if (format === 'json') printJsonList(changed)
    return 0
  })
}
