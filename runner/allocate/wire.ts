/** The shapes of the control plane's replies about allocations (docs/api.md): only the fields that are used. */
import type { AllocationState, PlanState } from '../../api/core/allocation-states.ts'

export type WirePause = { reason: string; since: number; message?: string; script?: string; log?: string }

export type WirePlan = {
  id: number
  workflow_id: number
  name: string
  config: unknown
  state: PlanState
  /** When it got into this state: failures before that count no more. */
  since: number
  /** By queue. */
  pauses: Record<string, WirePause>
}

export type WireAllocation = {
  id: number
  name: string
  plan: string
  scheduler_type: string
  queue: string
  width: number
  nodes: number
  cores: number
  memory_bytes: number
  gpus: number
  walltime_seconds: number
  directory: string
  state: AllocationState
  scheduler_id?: string
  message?: string
  reason?: string
  created_at: number
  submitted_at?: number
  started_at?: number
  ended_at?: number
  unneeded_since?: number
}

export type WireRecent = WireAllocation & { registered_runners: number; active_runners: number }

export type WireDemand = {
  /** The control plane's clock. */
  now: number
  groups: {
    cpus: number
    memory_bytes: number
    gpus: number
    nodes: number
    runtime_seconds: number
    scheduler_id: number | null
    labels: string
    count: number
    ready_since: number
  }[]
  runners: {
    id: number
    allocation: string | null
    worker: number | null
    cpus: number
    memory_bytes: number
    gpus: number
    nodes: number
    labels: string
    used_cpus: number
    used_memory_bytes: number
    used_gpus: number
    busy_seconds: number
    seconds_left: number | null
  }[]
  queues: { queue: string; backlog: number; submitted_last_minute: number; node_seconds_last_day: number }[]
  /** The oldest first. */
  allocations: WireRecent[]
}
