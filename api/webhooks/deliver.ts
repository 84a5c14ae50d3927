import { listStreamEvents, type StreamEventRow } from '../../db/stream-events.ts'
import type { Db, Unit } from '../../db/unit.ts'
import {
  countJobs,
  type Delivery,
  listDueWebhooks,
  listNews,
  type Place,
  recordDelivery,
  recordFailure,
  releaseWebhook,
  takeWebhook,
  type Untold,
  type WebhookRow,
} from '../../db/webhooks.ts'
import { JOB_STATUSES, STATUS } from '../core/status.ts'
import { refusalOfUrl, type WebhookPolicy } from './policy.ts'
import { signatureHeaders } from './sign.ts'

/** Sends a body and gives the status of the reply; rejects when there is none. It follows no redirect. */
export type Post = (url: string, headers: Record<string, string>, body: string) => Promise<number>

export type Delivering = { db: Db; clock: () => number; post: Post; policy: WebhookPolicy }

/** The one event that no row tells: every job of a workflow's run is complete. */
export const WORKFLOW_ENDED = 'workflow_ended'

/** Events in one delivery. */
const MOST_EVENTS = 500
/** Looks for events that a hook wants, in one go: some ten milliseconds. */
const MOST_PAGES = 20
/** Workflows of one hook that are looked at in one round, so that other hooks come in between. */
const MOST_WORKFLOWS = 20
/** A server that dies with a hook in hand keeps it from others for so long: longer than any one delivery takes. */
const HOLD_MS = 120_000
/** Pause after the first failure, doubling up to the longest one. */
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 3_600_000
/** Letters of a delivery that is kept to be sent again as it was; a larger one is made anew, since a libSQL server takes no row above 5 MB. */
const MOST_KEPT = 1_000_000
/** A receiver that has failed for so long is given up. */
const PATIENCE_MS = 3 * 86_400_000

/**
 * Delivers what has happened and was not delivered yet, each hook's events of a workflow in their order and at least once. Hooks wait for
 * no other hook's receiver, and nothing waits for them. With nothing to tell it only reads.
 */
export async function deliverWebhooks(delivering: Delivering): Promise<void> {
  const { db, clock } = delivering
  const due = await db.read(() => listDueWebhooks(clock()))
  await Promise.all(due.map(hook => deliverHook(delivering, hook)))
}

async function deliverHook(delivering: Delivering, due: WebhookRow): Promise<void> {
  const { db, clock } = delivering
  const hook = { ...due }
  const news = () => db.read(() => listNews(hook, MOST_WORKFLOWS))
  let untold = await news()
  if (untold.length === 0 || !(await db.write(() => takeWebhook(hook, clock() + HOLD_MS)))) return
  if (hook.pending !== null) {
    if (!(await arrives(delivering, hook, JSON.parse(hook.pending) as Delivery))) return
    untold = await news()
  }
  for (const place of untold) {
    const next = await nextDelivery(delivering, hook, place)
    if (!(await arrives(delivering, hook, next))) return
  }
  await db.write(() => releaseWebhook(hook.id, clock()))
}

/** Whether a delivery has arrived, or had nothing in it that the hook wants. Notes it, and what did not arrive, for the next try. */
async function arrives(delivering: Delivering, hook: WebhookRow, delivery: Delivery): Promise<boolean> {
  const { db, clock } = delivering
  const trouble = delivery.body === '' ? undefined : await send(delivering, hook, delivery)
  if (trouble !== undefined) {
    await fail(delivering, hook, delivery, trouble)
    return false
  }
  await db.write(() => recordDelivery(hook.id, delivery.reached, clock(), clock() + HOLD_MS))
  // A later one that fails is the first of its kind.
  hook.failures = 0
  hook.failing_since = null
  return true
}

/** What a hook is told next of a workflow; an empty body when it wants none of it. */
async function nextDelivery(
  { db, clock }: Delivering,
  hook: WebhookRow,
  { run_id, ended, ...place }: Untold,
): Promise<Delivery> {
  const { events, seq, isLast } = await db.read(() => nextWanted(hook, place))
  const told = events.map(toEvent)
  const reached: Place = { ...place, seq }
  if (ended === 1 && isLast) {
    reached.ended_run = run_id
    if (wants(hook, WORKFLOW_ENDED)) told.push(await endOf(db, place.workflow_id, run_id, clock()))
  }
  const { workflow_id, ended_run } = reached
  const body = told.length === 0 ? '' : JSON.stringify({ webhook_id: hook.id, workflow_id, events: told })
  return { id: `${hook.id}.${workflow_id}.${seq}.${ended_run}`, body, reached }
}

type Wanted = { events: StreamEventRow[]; seq: number; isLast: boolean }

/**
 * The next events of a workflow that a hook wants, and how far they reach. Those it does not want are passed over at once: among a million
 * starts of jobs the end of the workflow would else be told hours late.
 */
function* nextWanted(hook: WebhookRow, { workflow_id, seq: after }: Place): Unit<Wanted> {
  let seq = after
  for (let pages = 1; ; pages++) {
    const page = yield* listStreamEvents(workflow_id, seq, MOST_EVENTS)
    seq = page.at(-1)?.seq ?? seq
    const events = page.filter(({ type }) => wants(hook, type))
    const isLast = page.length < MOST_EVENTS
    if (events.length > 0 || isLast || pages === MOST_PAGES) return { events, seq, isLast }
  }
}

const wants = ({ events }: WebhookRow, type: string): boolean => events === null || JSON.parse(events).includes(type)

type ToldEvent = { type: string; timestamp: number; job?: { id: number; name: string }; data: unknown }

const toEvent = ({ at, type, job, dataJson }: StreamEventRow): ToldEvent => ({
  type,
  timestamp: at,
  job: job && { id: job.id, name: JSON.parse(job.nameJson) },
  data: JSON.parse(dataJson),
})

async function endOf(db: Db, workflowId: number, runId: number, now: number): Promise<ToldEvent> {
  const counts = await db.read(() => countJobs(workflowId))
  const byStatus = Object.fromEntries(JOB_STATUSES.map(word => [word, counts[STATUS[word]] ?? 0]).filter(([, n]) => n))
  const all_completed = Object.keys(byStatus).every(word => word === 'completed')
  return { type: WORKFLOW_ENDED, timestamp: now, data: { run_id: runId, all_completed, jobs: byStatus } }
}

/** Why a delivery did not arrive; undefined when it did. */
async function send({ clock, post, policy }: Delivering, hook: WebhookRow, { id, body }: Delivery) {
  const refusal = refusalOfUrl(hook.url, policy)
  if (refusal !== undefined) return `Cannot deliver there: ${refusal}`
  const headers = await signatureHeaders(hook.secret, id, Math.floor(clock() / 1000), body)
  try {
    const status = await post(hook.url, { ...headers, 'content-type': 'application/json' }, body)
    return status >= 200 && status < 300 ? undefined : `The receiver answered ${status}`
  } catch (error) {
    return `The receiver did not answer: ${error instanceof Error ? error.message : String(error)}`
  }
}

async function fail({ db, clock }: Delivering, hook: WebhookRow, delivery: Delivery, error: string): Promise<void> {
  const now = clock()
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(hook.failures, 20))
  const givenUp = now - (hook.failing_since ?? now) > PATIENCE_MS
  // Up to a tenth more, so that hooks of one receiver do not all come back at once.
  const dueAt = givenUp ? undefined : now + Math.round(pause * (1 + Math.random() / 10))
  const pending = delivery.body.length > MOST_KEPT ? undefined : delivery
  await db.write(() => recordFailure(hook.id, { error, now, dueAt, pending }))
}
