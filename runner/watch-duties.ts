import { createPlanner, leaseFor, type Planner } from './allocate/planner.ts'
import type { Client } from './client.ts'
import type { ControlPlane } from './control-plane.ts'
import { type Duty, leaveDuties, newHolder, takeDuty } from './duty.ts'
import { reconcilePipeRuns } from './pipe/reconcile.ts'

const DUTY = 'watch'

export type WatchOptions = {
  /** Between two listings of a scheduler. */
  everyMs: number
  clock: () => number
  note(line: string): void
}

export type WatchDuties = {
  /** How often this workflow was recovered since somebody began to watch it, by whomever. */
  readonly recoveries: number
  /**
   * Sees to allocations and arrays, when it is time and nobody else does. Gives how many requests are not over. Of a workflow that is
   * over, what waits is taken back.
   */
  look(controlPlane: ControlPlane, workflowId: number, isOver?: boolean): Promise<number>
  /** Whether this process is the one that acts; asked right before something that must be done once. */
  acts(controlPlane: ControlPlane, workflowId: number): Promise<boolean>
  /** Noted before a recovery begins, so that whoever takes over after a crash in it does not count anew. */
  countRecovery(controlPlane: ControlPlane, workflowId: number): Promise<void>
  /** Lets the next watcher begin at once, and anew unless it looked on. */
  leave(controlPlane: ControlPlane, workflowId: number): Promise<void>
}

/**
 * What a watcher of a workflow does besides looking. Safe to run twice: a lease in the control plane says which process acts; the other
 * shows how it goes, and takes over when the lease runs out. What it has to know then is kept with the lease.
 */
export function createWatchDuties({ everyMs, clock, note }: WatchOptions): WatchDuties {
  const holder = newHolder()
  const leaseSeconds = leaseFor(everyMs / 1000)
  const told = new Set<string>()
  let nextAtMs = 0
  let open = 0
  let wasOver = false
  let recoveries = 0
  /** Until it has had the duty, or has seen somebody with it: what was counted before is of a time that is over. */
  let isFresh = true

  function noteOnce(line: string): void {
    if (!told.has(line)) note(line)
    told.add(line)
  }

  async function hold({ client }: ControlPlane, workflowId: number, state?: { recoveries: number }): Promise<boolean> {
    const anew = isFresh && (await wasLeft(client, workflowId)) ? { recoveries: 0 } : undefined
    const reply = await takeDuty(client, { workflowId, name: DUTY, holder, leaseSeconds }, state ?? anew)
    if (reply.ok || reply.status === 409) isFresh = false
    if (!reply.ok) {
      if (reply.status === 409) noteOnce(`Only looks on: ${reply.message}`)
      return false
    }
    const stored = reply.value.state?.recoveries
    recoveries = typeof stored === 'number' ? stored : 0
    return true
  }

  /** Nobody elsewhere can reach a database that this process has opened itself: then there is nothing to see to. */
  function plannerFor({ client, address }: ControlPlane, workflowId: number): Planner | undefined {
    if (address === undefined) return undefined
    return createPlanner({ client, workflowId, proof: address, holder, leaseSeconds, clock, note: noteOnce })
  }

  return {
    get recoveries() {
      return recoveries
    },
    acts: hold,
    async look(controlPlane, workflowId, isOver = false) {
      if (clock() < nextAtMs && isOver === wasOver) return open
      wasOver = isOver
      nextAtMs = clock() + everyMs
      if (!(await hold(controlPlane, workflowId))) return 0
      const looked = await plannerFor(controlPlane, workflowId)?.look(isOver)
      if (looked?.ok) open = looked.open
      const { client, address } = controlPlane
      if (address !== undefined) await reconcilePipeRuns({ client, proof: address, note: noteOnce }, workflowId)
      return open
    },
    async countRecovery(controlPlane, workflowId) {
      await hold(controlPlane, workflowId, { recoveries: recoveries + 1 })
    },
    async leave({ client }, workflowId) {
      await leaveDuties(client, workflowId, holder)
    },
  }
}

/** Whether the last watcher gave the duty back; one that was killed did not. */
async function wasLeft(client: Client, workflowId: number): Promise<boolean> {
  const reply = await client.request<{ items: Duty[] }>('GET', `/workflows/${workflowId}/duties`)
  return reply.ok && reply.value.items.some(({ name, holder }) => name === DUTY && holder === undefined)
}
