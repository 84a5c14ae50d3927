import { policyOf } from '../api/core/failure-evidence.ts'
import type { JobOptions, WorkflowOptions } from '../api/core/spec/options.ts'
import { must } from './client/must.ts'
import type { Client } from './client.ts'
import { createFailureJudge, type FailureJudge } from './failure/judge-failure.ts'
import { finalise } from './finalise.ts'
import { completionOrGivenUp } from './job-threads/finalisers.ts'
import { type LabelledAttempt, labelOf, parseLabel } from './launch-label.ts'
import type { Adoption } from './launcher/adopt.ts'
import { type JournaledLaunch, readJournal } from './launcher/journal.ts'
import { endSurvivors } from './launcher/survivors.ts'
import type { NodeDirectory } from './node-state.ts'
import { logFiles, type StdioSettings, stdioOf } from './stdio.ts'
import type { Surviving } from './take-over.ts'
import type { CompletionEntry } from './wire.ts'

export type Recovered = {
  /** Processes of the former run that still lived and were ended. */
  ended: number
  /** Attempts that had ended before the crash and are told now. */
  reported: number
  /** Attempts that the crash interrupted: they run again. */
  lost: number
  /** Attempts that go on. */
  surviving: Surviving[]
}

/** What recovering needs to know about the workflow of a former runner. */
export type RecoverContext = {
  client: Client
  outputDir: string
  /** Where the former runner worked. */
  cwd: string
  stdio: StdioSettings
  usePendingFailed: boolean
  hashOutputs?: boolean
  workflowOptions: WorkflowOptions | undefined
  /** The control plane went on without the former runner, so that its leases may have lapsed. */
  leasesMayHaveLapsed: boolean
  /** What goes on running with a launcher that this runner has taken over. */
  adoption?: Adoption
}

type WireJob = {
  id: number
  name: string
  attempt_id: number
  output_file_ids?: number[]
  options?: JobOptions
}
type Former = { attempt: LabelledAttempt; launch: JournaledLaunch }

const BATCH = 1_000

/**
 * Clears up after a runner of this directory that was killed: ends what it left running, reports the exits that stand in its journal,
 * gives back the rest of what it held. After it nothing of the former node is claimed. Throws an Error with one clear line when the
 * control plane refuses or a process cannot be ended.
 */
export async function recover(
  directory: NodeDirectory,
  former: FormerNode,
  context: RecoverContext,
): Promise<Recovered> {
  const { adoption } = context
  const { ended } = await endSurvivors(directory.journal, adoption?.launcherId)
  const surviving = survivingOf(adoption, former.computeNodeId)
  const goesOn = new Set(surviving.map(({ attempt }) => labelOf(attempt)))
  const held = await heldJobs(context.client, former)
  const rescued = context.leasesMayHaveLapsed ? await readyJobs(context.client, former) : new Map<number, WireJob>()
  const isHeld = ({ jobId, attemptId }: LabelledAttempt) => held.get(jobId)?.attempt_id === attemptId
  const isRescued = ({ jobId, attemptId }: LabelledAttempt) => rescued.get(jobId)?.attempt_id === attemptId + 1
  const launches = formerLaunches(directory.journal, former.computeNodeId)
  const finished = launches.filter(({ attempt, launch }) => hasEnded(launch) && (isHeld(attempt) || isRescued(attempt)))
  const lost = launches.filter(
    ({ attempt, launch }) => launch.pid !== 0 && !hasEnded(launch) && isHeld(attempt) && !goesOn.has(labelOf(attempt)),
  )

  const judge = createFailureJudge()
  for (let at = 0; at < finished.length; at += BATCH) {
    const entries: CompletionEntry[] = []
    for (const one of finished.slice(at, at + BATCH)) {
      const job = held.get(one.attempt.jobId) ?? rescued.get(one.attempt.jobId)!
      entries.push(await completionOfFormer(one, job, { ...context, judge }))
    }
    await must(
      context.client.request(
        'POST',
        `/workflows/${former.workflowId}/batch_complete_jobs`,
        { completions: entries, verdicts: true },
        { repeatable: true },
      ),
    )
  }
  await must(
    context.client.request(
      'POST',
      `/compute_nodes/${former.computeNodeId}/release`,
      {
        claims: lost.map(({ attempt }) => ({
          job_id: attempt.jobId,
          claim_token: attempt.claimToken,
          lost: 'node_lost',
        })),
        rest: true,
        kept: surviving.length === 0 ? undefined : surviving.map(({ attempt }) => attempt.jobId),
      },
      { repeatable: true },
    ),
  )
  return { ended, reported: finished.length, lost: lost.length, surviving }
}

/** It ended by itself: its exit stands in the journal, and it was neither killed with its runner nor canceled unstarted. */
const hasEnded = (launch: JournaledLaunch): boolean =>
  launch.exit !== undefined && !launch.cut && launch.exit.failedStep !== 'canceled'

function survivingOf(adoption: Adoption | undefined, computeNodeId: number): Surviving[] {
  return (adoption?.running ?? []).flatMap(launch => {
    const attempt = parseLabel(launch.label)
    return attempt?.computeNodeId === computeNodeId ? [{ attempt, launch }] : []
  })
}

type FormerNode = { workflowId: number; computeNodeId: number }

/** Jobs the control plane still has as claimed by the former node. */
const heldJobs = (client: Client, { workflowId, computeNodeId }: FormerNode): Promise<Map<number, WireJob>> =>
  listJobs(client, `workflow_id=${workflowId}&active_compute_node_id=${computeNodeId}`)

/** Jobs that nobody has: the former node's may be among them, as their next attempts. */
const readyJobs = (client: Client, { workflowId }: FormerNode): Promise<Map<number, WireJob>> =>
  listJobs(client, `workflow_id=${workflowId}&status=ready`)

/** Jobs of one reply: a workflow may have millions that are ready. */
const PAGE = 10_000

type JobPage = { items: WireJob[]; next_after_id?: number }

async function listJobs(client: Client, query: string): Promise<Map<number, WireJob>> {
  const jobs = new Map<number, WireJob>()
  const list = `/jobs?${query}&include_relationships=true&limit=${PAGE}`
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page: JobPage = await must(client.request<JobPage>('GET', `${list}&after_id=${after}`))
    for (const job of page.items) jobs.set(job.id, job)
    after = page.next_after_id
  }
  return jobs
}

/** The last launch of each attempt of the former node. */
function formerLaunches(journal: string, computeNodeId: number): Former[] {
  const found = new Map<string, Former>()
  for (const launch of readJournal(journal).launches) {
    const attempt = parseLabel(launch.label)
    if (attempt?.computeNodeId === computeNodeId) found.set(labelOf(attempt), { attempt, launch })
  }
  return [...found.values()]
}

async function completionOfFormer(
  { attempt, launch }: Former,
  job: WireJob,
  context: RecoverContext & { judge: FailureJudge },
): Promise<CompletionEntry> {
  const outputs: { id: number; path: string }[] = []
  for (const id of job.output_file_ids ?? []) {
    outputs.push(await must(context.client.request<{ id: number; path: string }>('GET', `/files/${id}`)))
  }
  const stdio = stdioOf(job.name, context.stdio)
  const whole = {
    ...attempt,
    cwd: job.options?.cwd ?? context.cwd,
    outputs,
    logs: logFiles(context.outputDir, stdio.mode, attempt),
    deleteLogsOnSuccess: stdio.deleteOnSuccess,
    usePendingFailed: context.usePendingFailed,
    hashOutputs: context.hashOutputs,
    policy: policyOf(job.options, context.workflowOptions),
  }
  const { judge } = context
  await judge.prepare([whole.policy])
  // One try: nobody waits here for a file system to come to itself.
  const task = { attempt: whole, end: launch.exit!, reason: undefined }
  return completionOrGivenUp(task, () => judge.judge(finalise(whole, task.end, undefined), whole))
}
