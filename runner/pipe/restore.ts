import { isPipeOver } from '../../api/core/pipe/state.ts'
import { must } from '../client/must.ts'
import type { Client } from '../client.ts'
import { COMMAND_KIND, readFrozen } from './frozen.ts'
import { ingest } from './ingest.ts'
import type { PipeRun } from './wire.ts'

export type Restored =
  | { kind: 'refused'; reason: string }
  | {
      kind: 'restored'
      id: number
      state: PipeRun['state']
      directory: string
      members: number
      unknown_kinds: { job_id: number; kind: string }[]
      unreadable: string[]
      results: number
      accepted: number
    }

/**
 * Takes a run directory for that of its run, wherever it lies now, and tells the control plane the results in it. One that cannot be
 * read at all, or is of another control plane, is refused and changes nothing.
 */
export async function restore(client: Client, directory: string): Promise<Restored> {
  const frozen = readFrozen(directory)
  if (frozen.run === undefined) return { kind: 'refused', reason: 'it holds no run.json that can be read' }
  const { id, workflow_id } = frozen.run
  const reply = await client.request<PipeRun>('GET', `/pipe_runs/${id}`)
  if (!reply.ok) return { kind: 'refused', reason: `pipe run ${id} cannot be found: ${reply.message}` }
  if (reply.value.workflow_id !== workflow_id)
    return {
      kind: 'refused',
      reason: `its workflow is ${workflow_id}, and that of pipe run ${id} there is ${reply.value.workflow_id}`,
    }
  await must(client.request('PUT', `/pipe_runs/${id}`, { directory }))
  const ingestion = await ingest(client, workflow_id, directory)
  const { unreadable } = ingestion
  const run = isPipeOver(reply.value.state)
    ? reply.value
    : await must(client.request<PipeRun>('POST', `/pipe_runs/${id}/ingestion`, { unreadable }))
  const unknown = frozen.members.filter(({ kind }) => kind !== COMMAND_KIND)
  return {
    kind: 'restored',
    id,
    state: run.state,
    directory,
    members: frozen.members.length,
    unknown_kinds: unknown.map(({ job_id, kind }) => ({ job_id, kind })),
    unreadable,
    results: ingestion.results,
    accepted: ingestion.accepted,
  }
}
