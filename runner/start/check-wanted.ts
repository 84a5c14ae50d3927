import { explainRefusal } from '../client/explain-refusal.ts'
import { must } from '../client/must.ts'
import type { Client } from '../client.ts'
import type { WorkflowSummary } from '../wire.ts'
import type { Wanted } from './options.ts'

/** Finds out before anything begins whether this server serves runners of many workflows, and has those that are named. A line when not. */
export async function checkWanted(
  client: Client,
  { workflowIds = [] }: Wanted,
  where: string,
): Promise<string | undefined> {
  const reply = await client.request<WorkflowSummary>('POST', '/claims/summary', { workflow_ids: workflowIds })
  if (!reply.ok && (reply.status === 404 || reply.status === 405))
    return `Cannot serve many workflows as the server is older than this runner: ${where} has no /claims; run one of them with \`runner run ID\``
  if (!reply.ok) return explainRefusal(reply, 'start a runner', where)
  for (const id of workflowIds) {
    const found = await client.request('GET', `/workflows/${id}`)
    if (!found.ok) return `Cannot serve workflow ${id}: ${found.message}`
    const base = `/workflows/${id}`
    const { jobs_by_status: counts } = await must(client.request<WorkflowSummary>('GET', `${base}/summary`))
    if ((counts.uninitialized ?? 0) > 0)
      await must(
        client.request('POST', `${base}/initialize_jobs?only_uninitialized=true`, undefined, { repeatable: true }),
      )
  }
  return undefined
}
