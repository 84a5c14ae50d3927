import { isPipeOver, STRIKES } from '../../api/core/pipe/state.ts'
import { must } from '../client/must.ts'
import type { ServerAddress } from '../client/server-address.ts'
import type { Client, Reply } from '../client.ts'
import { findScheduler } from '../schedulers/find.ts'
import type { Listing, Scheduler, SubmitOutcome } from '../schedulers/types.ts'
import { type Ingestion, ingest } from './ingest.ts'
import { listFor, observationOf, unansweredOf } from './look.ts'
import { runPostStep } from './post-step.ts'
import { tellStillborn } from './stillborn.ts'
import { submitDecided } from './submit.ts'
import type { PipeDecided, PipeRun } from './wire.ts'

export type ReconcileContext = {
  client: Client
  /** Elements prove with it who they are. */
  proof: Pick<ServerAddress, 'token' | 'user'>
  note(line: string): void
  /** Passed in for tests, and for several clusters. */
  openScheduler?: (name: string) => Scheduler
}

/** What one look at a run came to. */
export type PipeReport = {
  run: PipeRun
  /** Why nothing was asked for, or that something was. */
  decision: PipeDecided['decision'] | undefined
  submitted: SubmitOutcome | undefined
  ingestion: Ingestion | undefined
  error: string | undefined
}

/**
 * Looks after all pipe runs of a workflow once: asks each scheduler for one listing, lets the control plane decide about more elements,
 * submits what it decided, tells results and ends runs whose members have ended. What goes wrong with one run is a strike against it and
 * touches no other; a run that has ended is left alone. Safe to run twice at once, and from `watch`.
 */
export async function reconcilePipeRuns(
  context: ReconcileContext,
  workflowId: number,
  { only, asked = false }: { only?: readonly number[]; asked?: boolean } = {},
): Promise<PipeReport[]> {
  const { items } = await must(
    context.client.request<{ items: PipeRun[] }>('GET', `/workflows/${workflowId}/pipe_runs`),
  )
  const meant = items.filter(run => only === undefined || only.includes(run.id))
  const open = meant.filter(run => !isPipeOver(run.state))
  const listings = await listAll(context, open)
  const reports: PipeReport[] = []
  for (const run of meant) {
    const seen = listings.get(run.scheduler)
    reports.push(seen === undefined || isPipeOver(run.state) ? untouched(run) : await look(context, run, seen, asked))
  }
  return reports
}

type Seen = { scheduler: Scheduler; listing: Listing }

const untouched = (run: PipeRun): PipeReport => ({
  run,
  decision: undefined,
  submitted: undefined,
  ingestion: undefined,
  error: undefined,
})

/** One listing for each scheduler, or what went wrong with it. */
async function listAll(
  { openScheduler = findScheduler }: ReconcileContext,
  runs: readonly PipeRun[],
): Promise<Map<string, Seen | Error>> {
  const listings = new Map<string, Seen | Error>()
  for (const name of new Set(runs.map(run => run.scheduler))) {
    try {
      const scheduler = openScheduler(name)
      const own = runs.filter(run => run.scheduler === name)
      listings.set(name, { scheduler, listing: await listFor(scheduler, own) })
    } catch (error) {
      listings.set(name, error as Error)
    }
  }
  return listings
}

/** One run; an exception is a strike, of which the third in a row ends it with its results told all the same. */
async function look(context: ReconcileContext, run: PipeRun, seen: Seen | Error, asked: boolean): Promise<PipeReport> {
  try {
    if (seen instanceof Error) throw seen
    const report = await reconcileRun(context, run, seen, asked)
    if (run.strikes > 0 && !report.run.is_over) await tellStrike(context.client, run)
    return report
  } catch (error) {
    const { message } = error as Error
    return { ...untouched(await strike(context, run, message)), error: message }
  }
}

async function strike({ client, note }: ReconcileContext, run: PipeRun, error: string): Promise<PipeRun> {
  note(`Pipe run ${run.id}: ${error}`)
  const isLast = run.strikes + 1 >= STRIKES
  if (isLast) await tellResults(client, run).catch((reason: Error) => note(`Pipe run ${run.id}: ${reason.message}`))
  const reply = await tellStrike(client, run, error)
  return reply.ok ? reply.value : run
}

const tellStrike = (client: Client, { id }: PipeRun, error?: string): Promise<Reply<PipeRun>> =>
  client.request<PipeRun>('POST', `/pipe_runs/${id}/strikes`, { error })

async function reconcileRun(
  context: ReconcileContext,
  run: PipeRun,
  { scheduler, listing }: Seen,
  asked: boolean,
): Promise<PipeReport> {
  const { client, proof, note } = context
  if (listing.kind === 'unknown') note(`${scheduler.name} cannot be asked: ${listing.message}`)
  const submitting = { client, scheduler, proof, note }
  let submitted: SubmitOutcome | undefined
  for (const one of unansweredOf(run)) submitted = await submitDecided(submitting, run, one, false)

  const body = { ...observationOf(run, listing, Date.now()), asked }
  const seen = await must(client.request<PipeDecided>('POST', `/pipe_runs/${run.id}/observe`, body))
  const { decision, submission } = seen
  await tellStillborn(client, seen.run)
  if (submission !== undefined) {
    submitted = await submitDecided(submitting, seen.run, submission, true)
    const after = await must(client.request<PipeRun>('GET', `/pipe_runs/${run.id}`))
    return { ...untouched(after), decision, submitted }
  }
  const ingestion = isQuiet(seen.run) ? await tellResults(client, seen.run) : undefined
  const told = ingestion === undefined ? seen.run : await recordIngestion(client, seen.run, ingestion)
  const ended = (await runPostStep(client, told, note)) ?? told
  if (ended.is_over) await cancelQueued(scheduler, ended)
  return { ...untouched(ended), decision, submitted, ingestion }
}

/** Elements that have not started would find nothing to do; those that run leave by themselves. */
async function cancelQueued(scheduler: Scheduler, { submissions }: PipeRun): Promise<void> {
  for (const { state, scheduler_id: id } of submissions)
    if (state === 'submitted' && id !== undefined) await scheduler.cancel(id, { kind: 'queued' })
}

/**
 * Nothing of the run is at work: its members have ended, or its arrays have and left members running, whose results may lie in the run
 * directory.
 */
function isQuiet({ state, are_members_over, live_runners, members, submissions }: PipeRun): boolean {
  if (isPipeOver(state)) return false
  if (are_members_over) return true
  const isAtWork = live_runners > 0 || submissions.some(one => one.state === 'intended' || one.state === 'submitted')
  return !isAtWork && submissions.length > 0 && members.by_status.running + members.by_status.pending > 0
}

const tellResults = (client: Client, run: PipeRun): Promise<Ingestion> => ingest(client, run.workflow_id, run.directory)

function recordIngestion(client: Client, { id }: PipeRun, { unreadable }: Ingestion): Promise<PipeRun> {
  return must(client.request<PipeRun>('POST', `/pipe_runs/${id}/ingestion`, { unreadable }))
}
