import { type Budget, createBudget } from './budget.ts'
import type { Want } from './pack.ts'
import type { Decision, Policy, Snapshot, WantedRequest } from './types.ts'
import { usableSeconds } from './walltimes.ts'

/** Turns wants into requests within the caps of queues, requests and time; says what is held back and why. */
export function askFor(
  wants: readonly Want[],
  inUse: number,
  snapshot: Snapshot,
  policy: Policy,
): Pick<Decision, 'submit' | 'held'> {
  const submit: WantedRequest[] = []
  const held: string[] = []
  const budget = createBudget(snapshot.queues, policy)
  let room = policy.nodesMost - inUse
  for (const want of wants) {
    let { elements } = want
    while (elements.length > 0) {
      const next = nextRequest({ ...want, elements }, room, budget, snapshot.nowMs, policy)
      if (typeof next === 'string') {
        held.push(next)
        break
      }
      submit.push(next)
      elements = elements.slice(next.width)
      room -= next.width * next.nodes
      budget.spend(next.queues[0], next.width * next.nodes * next.walltimeSeconds)
    }
  }
  return { submit, held }
}

/** The first request for a want, as large as it may be; a text says why there is none now. */
function nextRequest(
  { choice, nodes, elements, oldestMs }: Want,
  room: number,
  budget: Budget,
  nowMs: number,
  policy: Policy,
): WantedRequest | string {
  const { walltimeSeconds, offer } = choice
  const elementSeconds = nodes * walltimeSeconds
  const [queue, ...others] = budget.open(choice.queues, elementSeconds)
  if (queue === undefined) return budget.why(choice.queues, elementSeconds)

  const nodesNow = Math.min(policy.requestMost, room, budget.elementsLeft(elementSeconds) * nodes)
  const most = Math.floor(nodesNow / nodes)
  const least = Math.ceil(policy.requestLeast / nodes)
  const useful = Math.min(elements.length, most)
  const width = Math.max(useful, least)
  if (width > most)
    return `at least ${policy.requestLeast} nodes have to be asked for at once, and ${Math.max(0, nodesNow)} may be now`

  const part = elements.slice(0, useful)
  const usedSeconds = part.reduce((sum, element) => sum + element.area, 0)
  const fullness = usedSeconds / (width * usableSeconds(walltimeSeconds))
  const hasWaited = nowMs - oldestMs >= policy.waitMostSeconds * 1000
  if (!hasWaited && (useful < least || fullness < policy.utilizationLeast))
    return `ready jobs fill ${Math.floor(100 * fullness)} % of what would be asked for: more are waited for, ${policy.waitMostSeconds} s at most`

  return {
    queues: [queue, ...others],
    width,
    nodes,
    offer,
    walltimeSeconds,
    jobs: part.reduce((sum, element) => sum + element.jobs, 0),
    wasteSeconds: Math.max(0, nodes * (width * walltimeSeconds - usedSeconds)),
  }
}
