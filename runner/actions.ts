import { join } from 'node:path'
import type { Client } from './client.ts'
import { actionEnvironment, type RunFacts } from './job-environment.ts'
import { runLogged } from './run-logged.ts'
import type { NodeScheduler } from './slurm/node-scheduler.ts'
import type { WireAction as SlurmAction } from './slurm/rows.ts'

/** When the commands of a workflow's actions run (spec-format.md 10). */
export type Trigger =
  | 'on_workflow_start'
  | 'on_workflow_complete'
  | 'on_jobs_ready'
  | 'on_jobs_complete'
  | 'on_worker_start'
  | 'on_worker_complete'

/** The actions of a workflow, as one runner takes them: it runs their commands, and asks for nodes where it can. */
export type Actions = {
  /** Takes what is due of these triggers and runs it, one after the other. Resolves when all of it has ended. */
  run(...triggers: Trigger[]): Promise<void>
  /** Looks for actions of jobs, unless a look is under way. Does not keep the caller waiting. */
  look(): void
}

export type ActionsOptions = {
  client: Client
  workflowId: number
  nodeId: number
  facts: RunFacts
  note: (line: string) => void
  /** Absent where no nodes can be asked for. */
  nodes?: NodeScheduler
}

type WireAction = SlurmAction & { action_config: { commands?: string[] } }

const JOB_TRIGGERS = ['on_jobs_ready', 'on_jobs_complete'] as const

/** Another runner has it: no fault. */
const TAKEN = 409

/** Reads whether the workflow has such actions at all: most have none, and then nothing is ever asked again. */
export async function openActions(options: ActionsOptions): Promise<Actions> {
  const { client, workflowId, note } = options
  const base = `/workflows/${workflowId}/actions`
  const reply = await client.request<WireAction[]>('GET', base)
  if (!reply.ok) note(`The actions of the workflow could not be read: ${reply.message}`)
  const canTake = (action: WireAction): boolean =>
    action.action_type === 'run_commands' || options.nodes?.takes(action) === true
  const hasAny = reply.ok && reply.value.some(canTake)
  if (!hasAny) return { async run() {}, look() {} }

  /** A persistent action can be taken again and again; one runner takes it once. */
  const done = new Set<number>()
  let last: Promise<void> = Promise.resolve()
  let looking = false

  async function takeAll(triggers: readonly Trigger[]): Promise<void> {
    const query = triggers.map(trigger => `trigger_type=${trigger}`).join('&')
    const due = await client.request<WireAction[]>('GET', `${base}/pending?${query}`)
    if (!due.ok) return
    for (const action of due.value) {
      if (!canTake(action) || done.has(action.id)) continue
      done.add(action.id)
      try {
        await take(action)
      } catch (error) {
        note(`Action ${action.id} could not be run: ${(error as Error).message}`)
      }
    }
  }

  async function take(action: WireAction): Promise<void> {
    if (action.action_type !== 'run_commands') {
      await options.nodes?.fire(action)
      return
    }
    const taken = await client.request('POST', `${base}/${action.id}/claim`, { compute_node_id: options.nodeId })
    if (taken.ok) await runCommands(action, options)
    else if (taken.status !== TAKEN) note(`Action ${action.id} could not be taken: ${taken.message}`)
  }

  /** One after the other, so that no action is taken twice. */
  const inTurn = (triggers: readonly Trigger[]): Promise<void> => {
    last = last.then(() => takeAll(triggers))
    return last
  }

  return {
    run: (...triggers) => inTurn(triggers),
    look() {
      if (looking) return
      looking = true
      void inTurn(JOB_TRIGGERS).finally(() => {
        looking = false
      })
    },
  }
}

/** Runs the commands in order up to the first that fails, in the output directory. A failure changes nothing else. */
async function runCommands(action: WireAction, { workflowId, nodeId, facts, note }: ActionsOptions): Promise<void> {
  const path = join(facts.outputDir, `action_wf${workflowId}_r${facts.runId}_${action.id}_n${nodeId}.log`)
  for (const command of action.action_config.commands ?? []) {
    const code = await runLogged(command, path, { cwd: facts.outputDir, env: actionEnvironment(facts) })
    if (code === 0) continue
    note(`Action ${action.id} has failed with ${code} at: ${command} (${path})`)
    return
  }
}
