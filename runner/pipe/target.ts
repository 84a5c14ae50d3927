import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { must } from '../client/must.ts'
import type { Client } from '../client.ts'
import { CommandError } from '../command-line/error.ts'
import type { ControlPlaneFlags } from '../control-plane.ts'
import { createFromFile } from '../create-workflow.ts'
import { findWorkflow } from '../find-workflow.ts'
import { parseRunSettings } from '../run-options.ts'
import type { WorkflowSummary } from '../wire.ts'

/** Whether a word names a workflow file rather than a workflow. */
export const isWorkflowFile = (text: string): boolean => !/^\d+$/.test(text) && existsSync(text)

/** Finds or makes the workflow of a file, as `run` does. Throws with the reason when it cannot be. */
export async function workflowOfFile(
  client: Client,
  path: string,
  flags: ControlPlaneFlags,
  isNew: boolean,
): Promise<number> {
  const create = async (spec: Parameters<typeof createFromFile>[1]): Promise<number> =>
    (await must(createFromFile(client, spec, process.cwd()))).workflow_id
  const found = await findWorkflow(
    { client, create },
    {
      ...parseRunSettings(flags, process.env, process.cwd()),
      target: { kind: 'file', path: resolve(path) },
      known: isNew ? 'new' : 'continue',
    },
  )
  if (found.kind === 'refused') throw new CommandError(found.message, found.exitCode)
  return found.workflowId
}

/** Makes jobs ready that were not looked at yet. */
export async function initialize(client: Client, workflowId: number): Promise<void> {
  const base = `/workflows/${workflowId}`
  const { jobs_by_status: counts } = await must(client.request<WorkflowSummary>('GET', `${base}/summary`))
  if ((counts.uninitialized ?? 0) === 0) return
  await must(client.request('POST', `${base}/initialize_jobs?only_uninitialized=true`, undefined, { repeatable: true }))
}
