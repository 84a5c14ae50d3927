import { expectValue } from '../commands/ask.ts'
import { type Asked, readScheduler, type SlurmWorkflow, type WireAction } from './rows.ts'
import { type NodesWish, nameOf, prepareScript, type Scheduled, type Site, scheduleNodes } from './schedule-nodes.ts'
import type { Cluster } from './submit.ts'

/** Triggers at which a submitted workflow may ask for its nodes at once (contract/notes.md 19.10). */
const SUBMITTING = ['on_workflow_start', 'on_jobs_ready', 'on_jobs_complete'] as const

/** Somebody else has taken the action: no fault. */
const TAKEN = 409

/** Whose actions are fired, and how. */
export type Firing = {
  workflow: SlurmWorkflow
  asked: Asked
  site: Site
  cluster: Cluster
  /** The runner that takes the actions; absent when a command does. */
  nodeId?: number
  note(line: string): void
}

export const isForSlurm = ({ action_type, action_config: config }: WireAction): boolean =>
  action_type === 'schedule_nodes' && config.scheduler_type === 'slurm' && config.scheduler_id !== undefined

/** The schedule_nodes actions of a workflow that are due. */
export async function listDue({ client, where }: Asked, workflowId: number): Promise<WireAction[]> {
  const query = SUBMITTING.map(trigger => `trigger_type=${trigger}`).join('&')
  const reply = await client.request<WireAction[]>('GET', `/workflows/${workflowId}/actions/pending?${query}`)
  return expectValue(reply, `read the actions of workflow ${workflowId}`, where).filter(isForSlurm)
}

/**
 * Takes one action and asks for its allocations; undefined when somebody else has taken it. What Slurm refuses is put back as an action
 * of its own, so that it can be tried again. Settings that make no script throw before the action is taken.
 */
export async function fireAction(action: WireAction, firing: Firing): Promise<Scheduled | undefined> {
  const { workflow, asked, site, cluster, nodeId, note } = firing
  const { action_config: config } = action
  const wish: NodesWish = {
    workflow,
    scheduler: await readScheduler(asked, config.scheduler_id!),
    count: config.num_allocations ?? 1,
    perNode: config.start_one_worker_per_node === true,
    maxParallelJobs: config.max_parallel_jobs,
  }
  prepareScript(wish, site, undefined)
  const path = `/workflows/${workflow.id}/actions/${action.id}/claim`
  const taken = await asked.client.request('POST', path, { compute_node_id: nodeId })
  if (!taken.ok && taken.status === TAKEN) return undefined
  expectValue(taken, `take action ${action.id}`, asked.where)

  const scheduled = await scheduleNodes(wish, asked, site, cluster, note)
  const { nodes, trouble } = scheduled
  if (nodes.length > 0) {
    note(`Slurm has taken ${nodes.map(node => node.scheduler_id).join(', ')} of scheduler ${nameOf(wish.scheduler)}`)
  }
  if (trouble?.kind === 'refused') await putBack(action, wish.count - nodes.length, firing)
  return scheduled
}

/** Ids of the allocations that Slurm has taken, and why it has not taken others. */
export type FiredAll = { ids: number[]; troubles: string[] }

/** Takes actions one after the other. */
export async function fireAll(actions: readonly WireAction[], firing: Firing): Promise<FiredAll> {
  const fired: FiredAll = { ids: [], troubles: [] }
  for (const action of actions) {
    const scheduled = await fireAction(action, firing)
    fired.ids.push(...(scheduled?.nodes.map(node => node.scheduler_id) ?? []))
    if (scheduled?.trouble !== undefined) fired.troubles.push(scheduled.trouble.message)
  }
  return fired
}

/** An action cannot be untaken; its copy is due at once, and goes with the next initialisation, which renews the original. */
async function putBack(action: WireAction, missing: number, { workflow, asked }: Firing): Promise<void> {
  if (action.persistent) return
  const copy = {
    trigger_type: action.trigger_type,
    action_type: action.action_type,
    action_config: { ...action.action_config, num_allocations: missing },
    job_ids: action.job_ids,
    trigger_count: action.required_triggers,
    is_recovery: true,
  }
  const reply = await asked.client.request('POST', `/workflows/${workflow.id}/actions`, copy)
  expectValue(reply, `put back action ${action.id}, whose allocations were not submitted`, asked.where)
}
