import type { Policy, QueueFacts } from './types.ts'

/** What sites and users allow, as far as it is used up. */
export type Budget = {
  /** The queues that may be asked now, in their order. */
  open(names: readonly string[], elementSeconds: number): string[]
  /** Why none of them may. */
  why(names: readonly string[], elementSeconds: number): string
  elementsLeft(elementSeconds: number): number
  spend(name: string, nodeSeconds: number): void
}

/** Counts what this round asks on top of what was asked before, by queue. Submissions per minute count for the whole cluster. */
export function createBudget(facts: readonly QueueFacts[], policy: Policy): Budget {
  const queues = new Map(facts.map(queue => [queue.name, { ...queue }]))
  const stateOf = (name: string) => {
    const known = queues.get(name)
    if (known !== undefined) return known
    const fresh = {
      name,
      backlog: 0,
      submittedLastMinute: 0,
      nodeSecondsLastDay: 0,
      refusedInRow: 0,
      isPaused: false,
    }
    queues.set(name, fresh)
    return fresh
  }
  const submitted = () => [...queues.values()].reduce((sum, queue) => sum + queue.submittedLastMinute, 0)
  const spent = () => [...queues.values()].reduce((sum, queue) => sum + queue.nodeSecondsLastDay, 0)
  const elementsLeft = (elementSeconds: number): number =>
    Math.floor((policy.nodeSecondsPerDay - spent()) / elementSeconds)
  const refusal = (name: string, elementSeconds: number): string | undefined => {
    const { backlog } = stateOf(name)
    const where = name === '' ? 'the default queue' : `queue ${name}`
    if (backlog >= policy.backlog) return `${backlog} of at most ${policy.backlog} requests wait in ${where}`
    if (submitted() >= policy.submitsPerMinute)
      return `${submitted()} requests were submitted within a minute, the most that may be`
    if (elementsLeft(elementSeconds) < 1)
      return `${(spent() / 3600).toFixed(1)} node hours were asked for within a day, of ${policy.nodeSecondsPerDay / 3600}`
    return undefined
  }
  return {
    open: (names, seconds) => names.filter(name => refusal(name, seconds) === undefined),
    why: ([first], seconds) =>
      (first === undefined ? undefined : refusal(first, seconds)) ?? 'every queue of the plan is paused',
    elementsLeft,
    spend(name, nodeSeconds) {
      const state = stateOf(name)
      state.backlog++
      state.submittedLastMinute++
      state.nodeSecondsLastDay += nodeSeconds
    },
  }
}
