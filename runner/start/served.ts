import { openActions } from '../actions.ts'
import type { Proof } from '../client/authorization.ts'
import type { Client } from '../client.ts'
import type { RunFacts } from '../job-environment.ts'
import { readWorkflow, type Serving, type Servings, type WireWorkflow } from '../serving.ts'
import { jobToken } from '../tokens/job-token.ts'
import type { NewWorkflow } from './many-api.ts'

/** The workflows a runner has had work of, each with its node there: they come with their first job, and go when nothing more comes. */
export type ServedWorkflows = Servings & {
  /** Begins to serve a workflow: its first actions have run when this resolves. `isBack`: they ran before a former runner died. */
  open(workflow: NewWorkflow, how?: { isBack: boolean }): Promise<void>
  nodeIds(): number[]
  /** Says goodbye in workflows of which nothing has come for a while; `busy` are those of which jobs are here. */
  retire(busy: ReadonlySet<number>): Promise<void>
  /** Says goodbye in all. */
  close(): Promise<void>
  /** How many there were in all. */
  readonly count: number
}

export type ServedOptions = {
  client: Client
  /** What the runner itself shows; its jobs get a token of their own, for their workflow alone. */
  proof: Proof
  apiUrl: string
  outputDir: string
  note(line: string): void
  /** Told of each workflow before anything of it runs. */
  onOpen?(id: number, workflow: WireWorkflow): void
  /** Told of the nodes whenever they change, so that the next runner can clear up after this one. */
  onChange(nodes: readonly { workflowId: number; computeNodeId: number }[]): void
  clock: () => number
}

/** A workflow without work for this long sees the runner leave; with its next job it is back as another node. */
const PATIENCE_MS = 600_000
/** How often that is looked at. */
const LOOK_MS = 60_000

export function openServedWorkflows({
  client,
  proof,
  apiUrl,
  outputDir,
  note,
  onOpen,
  onChange,
  clock,
}: ServedOptions): ServedWorkflows {
  const served = new Map<number, Serving & { busyAtMs: number }>()
  let lookedAtMs = clock()
  let count = 0

  const all = (): Serving[] => [...served.values()]
  const changed = (): void => onChange(all().map(({ workflowId, nodeId }) => ({ workflowId, computeNodeId: nodeId })))

  async function leave({ workflowId, nodeId, actions, endAccounts }: Serving): Promise<void> {
    await actions.run('on_jobs_ready', 'on_jobs_complete', 'on_workflow_complete', 'on_worker_complete')
    const node = await client.request<object>('GET', `/compute_nodes/${nodeId}`)
    const usage = await endAccounts?.()
    if (node.ok) await client.request('PUT', `/compute_nodes/${nodeId}`, { ...node.value, ...usage, is_active: false })
    served.delete(workflowId)
    changed()
  }

  return {
    get count() {
      return count
    },
    of(workflowId) {
      const found = served.get(workflowId)
      if (found === undefined) throw new Error(`Cannot work for workflow ${workflowId} as nothing of it came here`)
      return found
    },
    all,
    nodeIds: () => all().map(serving => serving.nodeId),
    async open({ id: workflowId, compute_node_id: nodeId, ...wire }, { isBack } = { isBack: false }) {
      const workflow = readWorkflow(wire)
      onOpen?.(workflowId, workflow)
      const facts: RunFacts = {
        workflowId,
        apiUrl,
        outputDir,
        runId: workflow.run_id,
        submissionDirectory: workflow.submission_directory,
        jobToken: await jobToken(client, workflowId, proof),
      }
      const actions = await openActions({ client, workflowId, nodeId, facts, note })
      served.set(workflowId, { workflowId, workflow, nodeId, facts, actions, busyAtMs: clock() })
      count++
      changed()
      if (!isBack) await actions.run('on_workflow_start', 'on_worker_start')
    },
    async retire(busy) {
      const now = clock()
      if (now - lookedAtMs < LOOK_MS) return
      lookedAtMs = now
      for (const serving of [...served.values()]) {
        if (busy.has(serving.workflowId)) serving.busyAtMs = now
        else if (now - serving.busyAtMs >= PATIENCE_MS) await leave(serving)
      }
    },
    async close() {
      for (const serving of all()) await leave(serving)
    },
  }
}
