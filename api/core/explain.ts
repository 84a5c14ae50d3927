import { fitsAlone, labelsMatch, type Need, type Offer } from './packing.ts'
import type { JobStatus } from './status.ts'

/** Why a job is not running (or that it is): pure rules over what the database knows. */

export type JobFacts = {
  status: JobStatus
  need: Need
  schedulerId: number | null
  /** Comma-joined sorted set. */
  labels: string
  workflowCanceled: boolean
  /** Dependencies that are not complete yet. */
  unfinished: number
  /** Dependencies that ended without success. */
  unsuccessful: number
  /** Who has claimed or runs it. */
  holder: string | null
  /** The claim ends by itself when its runner falls silent. */
  leased: boolean
}

/** One active node as it registered. `offer.timeLimitSeconds` is what is left of its time. */
export type NodeFacts = { hostname: string; offer: Offer; labels: readonly string[]; schedulerConfigId: number | null }

export type ReasonCode =
  | 'running'
  | 'claimed'
  | 'no_lease'
  | 'finished'
  | 'disabled'
  | 'awaits_decision'
  | 'workflow_canceled'
  | 'not_initialized'
  | 'dependencies'
  | 'failed_dependencies'
  | 'no_runner'
  | 'labels'
  | 'scheduler'
  | 'too_large'
  | 'too_little_time'
  | 'waits_for_room'

export type Reason = { code: ReasonCode; message: string }

const GIB = 2 ** 30

/** Gives every reason that holds, the one to act on first. There is always one. */
export function explainJob(job: JobFacts, nodes: readonly NodeFacts[]): Reason[] {
  switch (job.status) {
    case 'running':
      return [reason('running', `It runs on ${job.holder ?? 'a node that did not give its name'}.`), ...lease(job)]
    case 'pending':
      return [reason('claimed', `${job.holder ?? 'A runner'} has claimed it and starts it next.`), ...lease(job)]
    case 'completed':
    case 'failed':
    case 'terminated':
      return [reason('finished', `It has ended: ${job.status}.`)]
    case 'canceled':
      return [reason('finished', 'It was canceled.'), ...failedDependencies(job)]
    case 'disabled':
      return [reason('disabled', 'It is disabled and never runs.')]
    case 'pending_failed':
      return [reason('awaits_decision', 'It has failed and waits for the decision whether to try it again.')]
    case 'uninitialized':
      return [...canceled(job), reason('not_initialized', 'Its workflow is not initialized: run it.')]
    case 'blocked':
      return [...canceled(job), reason('dependencies', `It waits for ${dependencies(job.unfinished)} to end.`)]
    case 'ready':
      return [...canceled(job), ...explainReady(job, nodes)]
  }
}

/** A ready job waits for a node. Nodes are ruled out by one rule after the other; the rule that leaves none is the reason. */
function explainReady(job: JobFacts, nodes: readonly NodeFacts[]): Reason[] {
  if (nodes.length === 0) return [reason('no_runner', 'No runner is active on its workflow.')]

  const labeled = nodes.filter(node => labelsMatch(node.labels, job.labels))
  if (labeled.length === 0) {
    return [
      job.labels === ''
        ? reason('labels', 'It has no labels, and every active runner takes only jobs with labels.')
        : reason('labels', `No active runner has all of its labels: ${job.labels}.`),
    ]
  }

  const isBound = (node: NodeFacts) => job.schedulerId === null || node.schedulerConfigId === job.schedulerId
  const elsewhere = labeled.some(isBound) ? [] : [boundElsewhere(job)]

  const large = labeled.filter(node => fitsAlone(job.need, { ...node.offer, timeLimitSeconds: undefined }))
  if (large.length === 0) return [...elsewhere, tooLarge(job.need, labeled)]

  const long = large.filter(node => fitsAlone(job.need, node.offer))
  if (long.length === 0) {
    const most = Math.max(...large.map(node => node.offer.timeLimitSeconds ?? 0))
    const message = `It asks for ${job.need.runtimeSeconds} s, and the active nodes that have room for it end within ${most} s.`
    return [...elsewhere, reason('too_little_time', message)]
  }
  if (elsewhere.length > 0) return elsewhere
  return [
    reason('waits_for_room', `It is its turn as soon as ${long[0]!.hostname} has room: more urgent jobs go first.`),
  ]
}

const boundElsewhere = ({ schedulerId }: JobFacts): Reason =>
  reason('scheduler', `It is bound to scheduler ${schedulerId}: other runners take it only when nothing else is ready.`)

/** Names each resource of which no node has enough, or all together when only their combination is missing. */
function tooLarge(need: Need, nodes: readonly NodeFacts[]): Reason {
  const most = (amount: (offer: Offer) => number) => Math.max(...nodes.map(node => amount(node.offer)))
  const rows: [what: string, asked: number, offered: number, show: (amount: number) => string][] = [
    ['CPUs', need.cpus, most(offer => offer.cpus), String],
    ['memory', need.memoryBytes, most(offer => offer.memoryBytes), gib],
    ['GPUs', need.gpus, most(offer => offer.gpus), String],
    ['nodes', need.nodes, most(offer => offer.nodes), String],
  ]
  const short = rows.filter(([, asked, offered]) => asked > offered)
  const parts = short.map(
    ([what, asked, offered, show]) => `${what}: ${show(asked)} asked, at most ${show(offered)} there`,
  )
  const lacking = parts.length > 0 ? parts.join('; ') : 'no node has all of it at once'
  const message = `It is larger than every active node (${lacking}). A larger node has to join, or a runner with -j, which ignores this.`
  return reason('too_large', message)
}

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`

const canceled = (job: JobFacts): Reason[] =>
  job.workflowCanceled ? [reason('workflow_canceled', 'Its workflow is canceled: no job of it starts.')] : []

const lease = (job: JobFacts): Reason[] =>
  job.leased
    ? []
    : [reason('no_lease', 'Its claim has no lease: if its runner is gone, the job stays so until it is reset.')]

const failedDependencies = (job: JobFacts): Reason[] =>
  job.unsuccessful > 0
    ? [reason('failed_dependencies', `${dependencies(job.unsuccessful)} ended without success.`)]
    : []

const dependencies = (count: number): string => `${count} ${count === 1 ? 'dependency' : 'dependencies'}`

const reason = (code: ReasonCode, message: string): Reason => ({ code, message })
