/** Where the time of attempts went. Pure. */

/** The moments of an attempt, epoch milliseconds: those of the control plane's clock, except `launched` and `exited`, which the runner saw. */
export type Moments = {
  ready_at?: number
  claimed_at?: number
  launched_at?: number
  exited_at?: number
  recorded_at?: number
}

/** Seconds between them; absent where one of the two was not told. Below zero: the two clocks do not agree. */
export type Phases = {
  /** Ready, and nobody took it. */
  queued_seconds?: number
  /** With a runner, before its process started. */
  launching_seconds?: number
  running_seconds?: number
  /** Its process had ended, and the control plane did not know. */
  reporting_seconds?: number
  /** From ready to recorded. */
  total_seconds?: number
}

export const PHASES = [
  'queued_seconds',
  'launching_seconds',
  'running_seconds',
  'reporting_seconds',
  'total_seconds',
] as const satisfies readonly (keyof Phases)[]

export function phasesOf({ ready_at, claimed_at, launched_at, exited_at, recorded_at }: Moments): Phases {
  return {
    queued_seconds: between(ready_at, claimed_at),
    launching_seconds: between(claimed_at, launched_at),
    running_seconds: between(launched_at, exited_at),
    reporting_seconds: between(exited_at, recorded_at),
    total_seconds: between(ready_at, recorded_at),
  }
}

const between = (from: number | undefined, to: number | undefined): number | undefined =>
  from === undefined || to === undefined ? undefined : millis((to - from) / 1000)

const millis = (seconds: number): number => Math.round(seconds * 1000) / 1000

/** What the attempts of one runner come to. */
export type RunnerPhases = {
  compute_node_id: number
  attempts: number
  /** From its first launch to its last exit. */
  span_seconds?: number
  /** Processes that ran at once, on average over that time. */
  busy?: number
  /** Half of the attempts took less. */
  median: Phases
  sum: Phases
}

/** Gives the runners that the attempts ran on, in the order of their numbers. */
export function phasesByRunner(attempts: readonly (Moments & { compute_node_id: number })[]): RunnerPhases[] {
  const byRunner = new Map<number, Moments[]>()
  for (const attempt of attempts) {
    const own = byRunner.get(attempt.compute_node_id)
    if (own === undefined) byRunner.set(attempt.compute_node_id, [attempt])
    else own.push(attempt)
  }
  return [...byRunner].sort(([a], [b]) => a - b).map(([id, own]) => describeRunner(id, own))
}

function describeRunner(computeNodeId: number, attempts: readonly Moments[]): RunnerPhases {
  const phases = attempts.map(phasesOf)
  const sum = overPhases(phases, values => millis(values.reduce((all, value) => all + value, 0)))
  const span = spanOf(attempts)
  return {
    compute_node_id: computeNodeId,
    attempts: attempts.length,
    span_seconds: span,
    busy: span === undefined || span === 0 ? undefined : Math.round((100 * (sum.running_seconds ?? 0)) / span) / 100,
    median: overPhases(phases, median),
    sum,
  }
}

function overPhases(phases: readonly Phases[], combine: (values: number[]) => number): Phases {
  const result: Phases = {}
  for (const name of PHASES) {
    const values = phases.map(one => one[name]).filter(value => value !== undefined)
    if (values.length > 0) result[name] = combine(values)
  }
  return result
}

/** Of an even number the lower of the two in the middle: a value that was seen. */
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!

/** Not by spread: there may be more attempts than a call takes arguments. */
function spanOf(attempts: readonly Moments[]): number | undefined {
  let first = Infinity
  let last = -Infinity
  for (const { launched_at = Infinity, exited_at = -Infinity } of attempts) {
    first = Math.min(first, launched_at)
    last = Math.max(last, exited_at)
  }
  return last < first ? undefined : millis((last - first) / 1000)
}
