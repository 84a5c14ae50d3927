import { must } from '../client/must.ts'
import type { Client } from '../client.ts'
import type { PipeMember } from './wire.ts'

/** Reads all members of a run, page by page. */
export async function readMembers(client: Client, runId: number): Promise<PipeMember[]> {
  const members: PipeMember[] = []
  for (;;) {
    const after = members.at(-1)?.job_id ?? 0
    const { items } = await must(
      client.request<{ items: PipeMember[] }>('GET', `/pipe_runs/${runId}/members?after_id=${after}`),
    )
    if (items.length === 0) return members
    for (const item of items) members.push(item)
  }
}
