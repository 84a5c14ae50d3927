import type { Proof } from '../client/authorization.ts'
import type { Client, Refusal, Reply } from '../client.ts'
import { leaveDuties, takeDuty } from '../duty.ts'
import { findScheduler } from '../schedulers/find.ts'
import type { Scheduler, SchedulerName } from '../schedulers/types.ts'
import { parsePlanConfig } from './config.ts'
import { allocateOnce } from './pass.ts'
import { isFinal } from './record.ts'
import type { WireAllocation, WirePlan } from './wire.ts'

export type PlannerOptions = {
  client: Client
  workflowId: number
  /** What runners on nodes prove with who we are. */
  proof: Proof
  /** Names this process among those that see to the same plans. */
  holder: string
  /** For how long nobody else may see to a plan after a pass; longer than the time between two. */
  leaseSeconds: number
  clock: () => number
  note(line: string): void
  /** Only this plan; all of the workflow unless given. */
  only?: string
  /** Passed in for tests. */
  schedulerOf?: (name: SchedulerName) => Scheduler
}

/** What a look came to: over all plans that this process sees to. */
export type Looked = { open: number; submitted: number; refused: number; canceled: number }

/** Requests are over in about the order in which they were made. */
const LAST = 1_000

const NOTHING: Looked = { open: 0, submitted: 0, refused: 0, canceled: 0 }

export type Planner = {
  /**
   * One pass of every plan that nobody else sees to; a refusal when the control plane cannot be asked. Of a workflow that is over what
   * waits is taken back at once.
   */
  look(isOver?: boolean): Promise<({ ok: true } & Looked) | Refusal>
  /** Lets others see to the plans at once. */
  leave(): Promise<void>
}

/** Sees to the allocation plans of a workflow. Safe to run twice: each plan belongs to one process at a time. */
export function createPlanner(options: PlannerOptions): Planner {
  const { client, workflowId, holder, note, only, schedulerOf = name => findScheduler(name) } = options
  const path = `/workflows/${workflowId}/allocation_plans`
  const schedulers = new Map<SchedulerName, Scheduler>()
  const told = new Set<string>()

  function findOnce(name: SchedulerName): Scheduler {
    const known = schedulers.get(name) ?? schedulerOf(name)
    schedulers.set(name, known)
    return known
  }

  /** The same again and again helps nobody. */
  function noteOnce(line: string): void {
    if (!told.has(line)) note(line)
    told.add(line)
  }

  async function plans(): Promise<Reply<WirePlan[]>> {
    const reply = await client.request<{ items: WirePlan[] }>('GET', path)
    if (!reply.ok) return reply
    return { ...reply, value: reply.value.items.filter(plan => only === undefined || plan.name === only) }
  }

  /** What is not over of a plan that another process sees to: whoever waits for the end waits for that, too. */
  async function countOpen({ name }: WirePlan): Promise<({ ok: true } & Looked) | Refusal> {
    const query = `plan=${encodeURIComponent(name)}&limit=${LAST}&sort_by=id&reverse_sort=true`
    const reply = await client.request<{ items: WireAllocation[] }>(
      'GET',
      `/workflows/${workflowId}/allocations?${query}`,
    )
    if (!reply.ok) return reply
    return { ok: true, ...NOTHING, open: reply.value.items.filter(({ state }) => !isFinal(state)).length }
  }

  async function lookAt(plan: WirePlan, isOver: boolean): Promise<({ ok: true } & Looked) | Refusal> {
    const config = parsePlanConfig(plan.config)
    if (config === undefined) {
      noteOnce(`Plan ${plan.name} is left alone as another version of this program made it`)
      return { ok: true, ...NOTHING }
    }
    const claim = { workflowId, name: dutyOf(plan), holder, leaseSeconds: options.leaseSeconds }
    const taken = await takeDuty(client, claim)
    if (!taken.ok && taken.status !== 409) return taken
    if (!taken.ok) {
      noteOnce(`Another process sees to plan ${plan.name}: ${taken.message}`)
      return countOpen(plan)
    }
    const { proof, clock } = options
    return allocateOnce({ plan, config, client, scheduler: findOnce(config.scheduler), proof, clock, isOver, note })
  }

  return {
    async look(isOver = false) {
      const found = await plans()
      if (!found.ok) return found
      const sum = { ...NOTHING }
      for (const plan of found.value) {
        const looked = await lookAt(plan, isOver)
        if (!looked.ok) return looked
        for (const key of Object.keys(sum) as (keyof Looked)[]) sum[key] += looked[key]
      }
      return { ok: true, ...sum }
    },
    leave: () => leaveDuties(client, workflowId, holder),
  }
}

/** A process that is killed loses its plans after four rounds. */
export const leaseFor = (everySeconds: number): number => Math.ceil(Math.min(3_600, Math.max(60, everySeconds * 4)))

const dutyOf = ({ name }: Pick<WirePlan, 'name'>): string => `allocate.${name}`
