/** What the planner looks at and what it decides: plain values, so that thousands of worlds can be tried in a test. */

export type Amounts = { cpus: number; memoryBytes: number; gpus: number }

/** Ready jobs that are alike. What is blocked, waits for a retry or runs is not in any group. */
export type ReadyGroup = Amounts & {
  nodes: number
  runtimeSeconds: number
  /** Joined with commas; empty for none. */
  labels: string
  schedulerId: number | undefined
  count: number
  readySinceMs: number
}

/** A runner at work. Amounts are the whole node's. */
export type LiveRunner = Amounts & {
  nodes: number
  labels: readonly string[]
  used: Amounts
  /** Until the last job that runs on it now is expected to end. */
  busySeconds: number
  /** undefined: it has no end. */
  secondsLeft: number | undefined
  /** Whether it runs in an allocation of this plan. */
  isOurs: boolean
}

/** A request that was made and has elements without a runner yet. */
export type OpenRequest = {
  name: string
  queue: string
  offer: Amounts
  /** Of each element. */
  nodes: number
  walltimeSeconds: number
  /** Elements that wait at the scheduler; only these can be cancelled. */
  queued: number
  /** Elements that run and whose runner has not registered, or that nobody has seen yet. */
  starting: number
  unneededSinceMs: number | undefined
}

export type QueueFacts = {
  /** Empty: the scheduler's default. */
  name: string
  /** Requests of every workflow that wait in it. */
  backlog: number
  submittedLastMinute: number
  nodeSecondsLastDay: number
  refusedInRow: number
  isPaused: boolean
}

export type Snapshot = {
  nowMs: number
  groups: readonly ReadyGroup[]
  runners: readonly LiveRunner[]
  requests: readonly OpenRequest[]
  queues: readonly QueueFacts[]
}

/** A queue or partition that may be asked, and for how long. */
export type QueuePolicy = {
  name: string
  /** The longest that it allows; undefined: it is not known. */
  walltimeMostSeconds?: number
}

/** How much of the cluster the user wants to use, and what the site asks of its users. */
export type Policy = {
  /** In order of preference. */
  queues: readonly QueuePolicy[]
  /** The choices of wall time, ascending. */
  walltimesSeconds: readonly number[]
  /** What a node has; what is not said is as much as the largest ready job needs. */
  node: Partial<Amounts>
  /** Nodes in use, starting and asked for together. */
  nodesMost: number
  requestLeast: number
  requestMost: number
  /** Requests that may wait in a queue at once. */
  backlog: number
  /** How full the nodes of a request have to be, from 0 to 1, unless the oldest job has waited long enough. */
  utilizationLeast: number
  waitMostSeconds: number
  /** Ready work should be done within this; the more nodes, the sooner. undefined: within the wall time. */
  finishWithinSeconds?: number
  /** A queued request is cancelled when nobody has needed it for this long. */
  cancelAfterSeconds: number
  submitsPerMinute: number
  nodeSecondsPerDay: number
  labels: readonly string[]
  schedulerConfigId?: number
  /** One runner can start jobs over several nodes. */
  spansNodes: boolean
}

/** One submission: an array of `width` equal elements, or a plain job. */
export type WantedRequest = {
  /** The queue to ask, and those to ask instead when it refuses. */
  queues: readonly [string, ...string[]]
  width: number
  nodes: number
  offer: Amounts
  walltimeSeconds: number
  /** Ready jobs that it is for. */
  jobs: number
  /** Node time asked for that no ready job has a use for. */
  wasteSeconds: number
}

export type Surplus = {
  name: string
  /** Queued elements that no ready job needs. */
  elements: number
  /** They have been unneeded for long enough. */
  cancel: boolean
}

export type Unserved = { group: ReadyGroup; reason: string }

export type Decision = {
  submit: readonly WantedRequest[]
  /** The newest request first. */
  surplus: readonly Surplus[]
  /** Ready jobs that this plan does nothing for, and why. */
  unserved: readonly Unserved[]
  /** Why less is asked for than ready jobs could use, if so. */
  held: readonly string[]
}
