import type { WorkflowOptions } from '../api/core/spec/options.ts'
import type { JsonObject } from '../api/core/spec/types.ts'
import type { Actions } from './actions.ts'
import type { ExecutionConfig } from './execution-settings.ts'
import type { RunFacts } from './job-environment.ts'
import { objectOf } from './json-object.ts'
import type { WireMonitorConfig } from './monitor/config.ts'
import type { NodeUsage } from './monitor/monitor.ts'

/** What a runner reads of a workflow. */
export type WireWorkflow = {
  name: string
  run_id: number
  use_pending_failed?: boolean
  options?: WorkflowOptions
  execution_config?: ExecutionConfig
  resource_monitor_config?: WireMonitorConfig | null
  submission_directory?: string
  compute_node_wait_for_healthy_database_minutes: number
}

/** The workflow as a runner needs it: clients of the old contract have stored two of its fields as texts. */
export const readWorkflow = <W extends WireWorkflow>(wire: W): W => ({
  ...wire,
  execution_config: settingsOf<ExecutionConfig>(wire.execution_config),
  resource_monitor_config: settingsOf<WireMonitorConfig>(wire.resource_monitor_config),
})

/** Absent stays absent. */
const settingsOf = <S extends object>(value: S | string | null | undefined): S | undefined =>
  value === undefined || value === null ? undefined : (objectOf(value as JsonObject | string) as S)

/** A workflow that a runner has jobs of, and all that its jobs are prepared and judged by. */
export type Serving = {
  workflowId: number
  workflow: WireWorkflow
  /** The runner's node in this workflow. */
  nodeId: number
  facts: RunFacts
  actions: Actions
  /** Ends what is measured for it and tells what the node used; absent where nothing is. */
  endAccounts?(): Promise<NodeUsage>
}

/** All workflows of a runner: one that was given, or those that came to it. */
export type Servings = {
  /** Throws when nothing of this workflow ever came here: a bug. */
  of(workflowId: number): Serving
  all(): readonly Serving[]
}

/** Of a runner that works for one workflow. */
export const onlyServing = (serving: Serving): Servings => ({ of: () => serving, all: () => [serving] })
