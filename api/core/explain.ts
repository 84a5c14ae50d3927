import type { HandBackReason } from './hand-back.ts'
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
  /** When the claim ends by itself if its runner falls silent, in epoch milliseconds; null when it never does. */
  leaseExpiresAt: number | null
  /** What is left of the pause before its next attempt; null when it waits for nothing. */
  pauseSeconds: number | null
  /** Active nodes that gave it back, and why. */
  handedBack: readonly { hostname: string; reason: HandBackReason }[]
}

/** One active node as it registered, and what the jobs on it leave free. `offer.timeLimitSeconds` is what is left of its time. */
export type NodeFacts = {
  hostname: string
  offer: Offer
  free: Amounts
  labels: readonly string[]
  schedulerConfigId: number | null
}

type Amounts = Pick<Offer, 'cpus' | 'memoryBytes' | 'gpus'>

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
  | 'waits_for_retry'
  | 'handed_back'

export type Reason = { code: ReasonCode; message: string }

const GIB = 2 ** 30

/** Gives every reason that holds, the one to act on first. There is always one. `former` are the sizes of nodes that are gone. */
export function explainJob(job: JobFacts, nodes: readonly NodeFacts[], former: readonly Offer[] = []): Reason[] {
  switch (job.status) {
    case 'running':
      return [
        reason('running', `It runs on ${job.holder ?? 'a node that did not give its name'}${until(job)}.`),
        ...lease(job),
      ]
    case 'pending':
      return [reason('claimed', `${job.holder ?? 'A runner'} holds it${until(job)} and starts it next.`), ...lease(job)]
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
      return [...canceled(job), ...pause(job), ...handedBack(job), ...explainReady(job, nodes, former)]
  }
}

/** A ready job waits for a node. Nodes are ruled out by one rule after the other; the rule that leaves none is the reason. */
function explainReady(job: JobFacts, nodes: readonly NodeFacts[], former: readonly Offer[]): Reason[] {
  if (nodes.length === 0) {
    const nobody = reason('no_runner', 'No runner is active on its workflow.')
    const none = former.length > 0 && !former.some(offer => isRoomy(job.need, offer))
    return none ? [nobody, tooLarge(job.need, former, 'any node seen')] : [nobody]
  }

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

  const large = labeled.filter(node => isRoomy(job.need, node.offer))
  if (large.length === 0) {
    const offers = labeled.map(node => node.offer)
    const wasThere = former.some(offer => isRoomy(job.need, offer))
    return [
      ...elsewhere,
      wasThere
        ? tooLarge(job.need, offers, 'every active node; one that is gone was large enough')
        : tooLarge(job.need, [...offers, ...former], 'any node seen'),
    ]
  }

  const long = large.filter(node => fitsAlone(job.need, node.offer))
  if (long.length === 0) {
    const most = Math.max(...large.map(node => node.offer.timeLimitSeconds ?? 0))
    const message = `It asks for ${job.need.runtimeSeconds} s, and the active nodes that have room for it end within ${most} s.`
    return [...elsewhere, reason('too_little_time', message)]
  }
  if (elsewhere.length > 0) return elsewhere
  return [waitsForRoom(job.need, long)]
}

/** Whether the node is large enough, however little of its time is left. */
const isRoomy = (need: Need, offer: Offer): boolean => fitsAlone(need, { ...offer, timeLimitSeconds: undefined })

const boundElsewhere = ({ schedulerId }: JobFacts): Reason =>
  reason(
    'scheduler',
    `It is bound to scheduler ${schedulerId}, which no active runner serves: others take it only when nothing else is ready.`,
  )

/** More nodes help nobody. */
const NODES_NAMED = 3

/** Says what is missing on the nodes that are large enough, or that nothing is. */
function waitsForRoom(need: Need, nodes: readonly NodeFacts[]): Reason {
  const lacking = nodes.map(node => ({ node, parts: shortOf(need, node.free, 'free') }))
  const roomy = lacking.find(({ parts }) => parts.length === 0)
  if (roomy !== undefined)
    return reason('waits_for_room', `${roomy.node.hostname} has room: it is its turn once more urgent jobs have gone.`)
  const named = lacking.slice(0, NODES_NAMED).map(({ node, parts }) => `${node.hostname} (${parts.join('; ')})`)
  const more = lacking.length > NODES_NAMED ? ` and ${lacking.length - NODES_NAMED} more` : ''
  return reason('waits_for_room', `No runner has room now: ${named.join(', ')}${more}. More urgent jobs go first.`)
}

/** Names each resource of which more is asked than there is. */
function shortOf(need: Need, there: Amounts & { nodes?: number }, word: string): string[] {
  const rows: [what: string, asked: number, offered: number, show: (amount: number) => string][] = [
    ['CPUs', need.cpus, there.cpus, String],
    ['memory', need.memoryBytes, there.memoryBytes, gib],
    ['GPUs', need.gpus, there.gpus, String],
    ['nodes', need.nodes, there.nodes ?? need.nodes, String],
  ]
  return rows
    .filter(([, asked, offered]) => asked > offered)
    .map(([what, asked, offered, show]) => `${what}: ${show(asked)} asked, ${show(offered)} ${word}`)
}

/** Names each resource of which no node has enough, or all together when only their combination is missing. */
function tooLarge(need: Need, offers: readonly Offer[], than: string): Reason {
  const most = (amount: (offer: Offer) => number) => Math.max(...offers.map(amount))
  const largest = {
    cpus: most(offer => offer.cpus),
    memoryBytes: most(offer => offer.memoryBytes),
    gpus: most(offer => offer.gpus),
    nodes: most(offer => offer.nodes),
  }
  const parts = shortOf(need, largest, 'there at most')
  const lacking = parts.length > 0 ? parts.join('; ') : 'no node has all of it at once'
  const message = `It is larger than ${than} (${lacking}). A larger node has to join, or a runner with -j, which ignores this.`
  return reason('too_large', message)
}

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`

const canceled = (job: JobFacts): Reason[] =>
  job.workflowCanceled ? [reason('workflow_canceled', 'Its workflow is canceled: no job of it starts.')] : []

const pause = ({ pauseSeconds }: JobFacts): Reason[] =>
  pauseSeconds === null
    ? []
    : [reason('waits_for_retry', `It failed and is tried again in ${Math.ceil(pauseSeconds)} s at the latest.`)]

const WHY_BACK: Record<HandBackReason, string> = { no_cwd: 'its working directory does not exist there' }

const handedBack = (job: JobFacts): Reason[] =>
  job.handedBack.map(({ hostname, reason: why }) =>
    reason(
      'handed_back',
      `${hostname} gave it back: ${WHY_BACK[why]}. It goes there again after ten minutes at the latest.`,
    ),
  )

const until = ({ leaseExpiresAt }: JobFacts): string =>
  leaseExpiresAt === null ? '' : ` until ${new Date(leaseExpiresAt).toISOString()}, or longer if it says so`

const lease = (job: JobFacts): Reason[] =>
  job.leaseExpiresAt !== null
    ? []
    : [reason('no_lease', 'Its claim has no lease: if its runner is gone, the job stays so until it is reset.')]

const failedDependencies = (job: JobFacts): Reason[] =>
  job.unsuccessful > 0
    ? [reason('failed_dependencies', `${dependencies(job.unsuccessful)} ended without success.`)]
    : []

const dependencies = (count: number): string => `${count} ${count === 1 ? 'dependency' : 'dependencies'}`

const reason = (code: ReasonCode, message: string): Reason => ({ code, message })
