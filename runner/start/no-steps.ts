import type { ExecutionConfig } from '../execution-settings.ts'
import { createSteps } from '../slurm/steps.ts'

/**
 * A line for a workflow that wants its jobs as steps of this Slurm allocation; undefined for others. A runner of many workflows starts all
 * jobs itself: what is in `execution_config` about steps holds in `runner run` alone.
 */
export function describeNoSteps(
  workflowId: number,
  config: ExecutionConfig,
  env: NodeJS.ProcessEnv,
): string | undefined {
  const steps = createSteps({ config, env, killAtMs: undefined, clock: Date.now })
  if (steps?.accounts === undefined) return undefined
  return `Jobs of workflow ${workflowId} run as processes of this node, not as steps of Slurm as its execution_config.mode says: \`runner run ${workflowId}\` makes steps`
}
