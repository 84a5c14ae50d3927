/**
 * Who is next when one runner serves many: the user who has the fewest jobs claimed; of equals the one this runner has served longest
 * ago, or never; then, in the same way, one of this user's workflows. With slots for all, everybody has as many of them, however long
 * their jobs are; with fewer slots than users, they take turns.
 */

/** One workflow that wants a turn. */
export type Contender = {
  id: number
  user: string
  /** Its jobs that are claimed now, by whichever runner. */
  claimed: number
}

/** When this runner has served a workflow last: 0 for never, else the later the larger. `users` the same for all workflows of a user. */
export type LastTurns = { workflows: ReadonlyMap<number, number>; users: ReadonlyMap<string, number> }

/** `served`: workflows and their users, the one longest ago first. */
export function lastTurnsOf(served: readonly { id: number; user: string }[]): LastTurns {
  const workflows = new Map(served.map(({ id }, index) => [id, index + 1]))
  const users = new Map(served.map(({ user }, index) => [user, index + 1]))
  return { workflows, users }
}

/** Deals items out in turns: one of the workflow that is next, until all are dealt. Items of one workflow keep their order. */
export function dealInTurns<T>(
  queues: readonly { contender: Contender; items: readonly T[] }[],
  lastTurns: LastTurns,
): T[] {
  const users = groupByUser(queues, lastTurns)
  const dealt: T[] = []
  let turn = lastTurns.workflows.size
  while (users.length > 0) {
    const user = leastOf(users)
    const queue = leastOf(user.queues)
    dealt.push(queue.items[queue.at++]!)
    turn++
    for (const side of [user, queue]) {
      side.claimed++
      side.lastTurn = turn
    }
    if (queue.at === queue.items.length) remove(user.queues, queue)
    if (user.queues.length === 0) remove(users, user)
  }
  return dealt
}

/** One side of a comparison: a user, or a workflow of one. */
type Side = { claimed: number; lastTurn: number }
type Queue<T> = Side & { items: readonly T[]; at: number }
type User<T> = Side & { queues: Queue<T>[] }

function groupByUser<T>(
  queues: readonly { contender: Contender; items: readonly T[] }[],
  lastTurns: LastTurns,
): User<T>[] {
  const users = new Map<string, User<T>>()
  for (const { contender, items } of queues) {
    const { id, user, claimed } = contender
    const found = users.get(user) ?? { claimed: 0, lastTurn: lastTurns.users.get(user) ?? 0, queues: [] }
    users.set(user, found)
    found.claimed += claimed
    if (items.length > 0) found.queues.push({ items, at: 0, claimed, lastTurn: lastTurns.workflows.get(id) ?? 0 })
  }
  return [...users.values()].filter(user => user.queues.length > 0)
}

/** The first of equals. */
const leastOf = <T extends Side>(sides: readonly T[]): T =>
  sides.reduce((least, side) =>
    side.claimed < least.claimed || (side.claimed === least.claimed && side.lastTurn < least.lastTurn) ? side : least,
  )

const remove = <T>(list: T[], item: T): void => void list.splice(list.indexOf(item), 1)
