import type { ServerAddress } from '../client/server-address.ts'
import type { Client } from '../client.ts'
import { insideSlurm } from '../schedulers/slurm/inside.ts'
import { openCluster } from './cluster.ts'
import { fireAction, isForSlurm } from './fire-actions.ts'
import { readWorkflow, type WireAction } from './rows.ts'

/** What a runner needs to take schedule_nodes actions of its workflow. */
export type NodeSchedulerOptions = {
  client: Client
  address: ServerAddress
  workflowId: number
  nodeId: number
  outputDir: string
  env: NodeJS.ProcessEnv
  clock(): number
  note(line: string): void
}

/** Asks Slurm for nodes on behalf of a runner. */
export type NodeScheduler = {
  /** Whether this runner takes the action now. */
  takes(action: WireAction): boolean
  /** Takes it, unless somebody else has, and asks for its allocations. Trouble is noted. */
  fire(action: WireAction): Promise<void>
}

/** After a refusal Slurm is left alone for so long: what is refused is put back, and would be refused again at once. */
const AFTER_REFUSAL_MS = 600_000

/**
 * Makes what takes schedule_nodes actions. Undefined outside of Slurm: who runs a workflow on another machine means that machine.
 */
export function createNodeScheduler(options: NodeSchedulerOptions): NodeScheduler | undefined {
  const { client, address, workflowId, nodeId, outputDir, env, clock, note } = options
  if (insideSlurm({ env }) === undefined) return undefined
  const cluster = openCluster(env)
  const asked = { client, where: address.baseUrl }
  let notBeforeMs = 0
  return {
    takes: action => isForSlurm(action) && clock() >= notBeforeMs,
    async fire(action) {
      try {
        const site = { address, outputDir, cwd: process.cwd() }
        const workflow = await readWorkflow(asked, workflowId)
        const scheduled = await fireAction(action, { workflow, asked, site, cluster, nodeId, note })
        if (scheduled?.trouble === undefined) return
        notBeforeMs = clock() + AFTER_REFUSAL_MS
        note(`Action ${action.id}: ${scheduled.trouble.message}`)
      } catch (error) {
        notBeforeMs = clock() + AFTER_REFUSAL_MS
        note(`Action ${action.id} could not ask for nodes: ${error instanceof Error ? error.message : error}`)
      }
    },
  }
}
