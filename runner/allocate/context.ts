import type { Proof } from '../client/authorization.ts'
import type { Client } from '../client.ts'
import type { Scheduler } from '../schedulers/types.ts'
import type { PlanConfig } from './config.ts'
import type { WirePlan } from './wire.ts'

/** What a pass needs of the world. */
export type PassContext = {
  plan: WirePlan
  config: PlanConfig
  client: Client
  scheduler: Scheduler
  /** What proves on the nodes who we are. */
  proof: Proof
  clock: () => number
  /** The workflow has ended: what waits is of no use even for a while. */
  isOver: boolean
  note(line: string): void
}

/** A queue in messages. */
export const queueWords = (queue: string): string => (queue === '' ? 'the default queue' : `queue ${queue}`)
