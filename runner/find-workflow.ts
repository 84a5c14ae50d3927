import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import type { ExpandedWorkflow } from '../api/core/spec/types.ts'
import { ControlPlaneError, must } from './client/must.ts'
import type { Client } from './client.ts'
import type { ControlPlane } from './run-control-plane.ts'
import type { RunOptions } from './run-options.ts'
import { readSpecFile } from './spec-file.ts'
import { STANDARD_INPUT } from './standard-input.ts'
import type { WorkflowSummary } from './wire.ts'

/** The workflow to run, or why there is none. */
export type Found = { kind: 'found'; workflowId: number } | { kind: 'refused'; message: string; exitCode: 2 | 3 }

type Source = { workflow_id: number; source_hash: string }

/**
 * Finds or makes the workflow that the options name. A file whose workflow is there already is continued; other content under the same
 * path is refused unless --new is given.
 */
export async function findWorkflow(
  { client, create }: Pick<ControlPlane, 'client' | 'create'>,
  options: RunOptions,
): Promise<Found> {
  if (options.target.kind === 'workflow') {
    const { id } = options.target
    const reply = await client.request<WorkflowSummary>('GET', `/workflows/${id}/summary`)
    if (reply.ok) return { kind: 'found', workflowId: id }
    if (reply.status === 404)
      return {
        kind: 'refused',
        exitCode: 3,
        message: `Cannot run workflow ${id} as there is none with this id: see \`runner list\``,
      }
    throw new ControlPlaneError(reply)
  }
  if (options.target.kind === 'expansion') {
    return { kind: 'found', workflowId: await create({ workflow: options.target.workflow }) }
  }
  const cwd = process.cwd()
  const { path } = options.target
  const { workflow, hash, errors } = await readSpecFile(path, cwd, options.skipChecks)
  if (workflow === undefined || hash === undefined) return { kind: 'refused', exitCode: 2, message: errors.join('\n') }
  // On a server other users' and other directories' runs of the same file are not ours to continue.
  const sourcePath = options.controlPlane.kind === 'embedded' ? path : `${path} (${options.outputDir})`
  const isFoundAgain = options.known !== 'new' && path !== STANDARD_INPUT
  if (isFoundAgain) {
    const known = await findSource(client, sourcePath)
    if (known !== undefined && known.source_hash === hash) return { kind: 'found', workflowId: known.workflow_id }
    if (known !== undefined) {
      const message = `Cannot continue workflow ${known.workflow_id} as ${relative(cwd, path)} has changed since it was created: give --new to run the changed file as another workflow`
      return { kind: 'refused', exitCode: 2, message }
    }
  }
  const missing = missingInputs(workflow)
  if (missing.length > 0) return { kind: 'refused', exitCode: 2, message: missing.join('\n') }
  const file = { path: sourcePath, workflow, hash }
  try {
    return { kind: 'found', workflowId: await create(file) }
  } catch (error) {
    if (!isFoundAgain || !(error instanceof ControlPlaneError) || error.refusal.status !== undefined) throw error
    // The server may have ended before or after it made it.
    const made = await findSource(client, sourcePath)
    return { kind: 'found', workflowId: made?.workflow_id ?? (await create(file)) }
  }
}

/** The workflow that was made last from this file. */
async function findSource(client: Client, path: string): Promise<Source | undefined> {
  const { items } = await must(
    client.request<{ items: Source[] }>('GET', `/workflow_sources?path=${encodeURIComponent(path)}`),
  )
  return items[0]
}

/** Inputs that no job makes have to be there before anything starts (spec-format.md 17). */
export function missingInputs(workflow: ExpandedWorkflow): string[] {
  const made = new Set(workflow.jobs.flatMap(job => job.outputFiles))
  const needed = new Map<number, string>()
  for (const job of workflow.jobs) {
    for (const file of job.inputFiles) if (!made.has(file) && !needed.has(file)) needed.set(file, job.name)
  }
  return [...needed]
    .map(([file, job]) => ({ ...workflow.files[file]!, job }))
    .filter(file => !existsSync(file.path))
    .map(
      file =>
        `Cannot run as the input file "${file.name}" of job "${file.job}" is missing and no job makes it: ${file.path}`,
    )
}
