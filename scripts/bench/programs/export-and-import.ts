import { request } from 'undici'
import type { Address } from '../server.ts'
import { answer } from './answer.ts'

export type Transfer = { address: Address; workflowId: number }
export type Transferred = { jobs: number; exportSeconds: number; importSeconds: number; megabytes: number }

/** Exports a workflow, keeping nothing but its lines' count, then lets the export flow into an import. */
async function exportAndImport({ address, workflowId }: Transfer): Promise<Transferred> {
  const headers = { authorization: `Bearer ${address.token}` }
  const source = `${address.url}/v1/workflows/${workflowId}/export`
  let beganAt = performance.now()
  const exported = await request(source, { headers })
  let bytes = 0
  let jobs = 0
  let rest = ''
  for await (const chunk of exported.body) {
    bytes += chunk.length
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    for (const line of lines) if (line.startsWith('{"kind":"job"')) jobs++
  }
  const exportSeconds = (performance.now() - beganAt) / 1000

  beganAt = performance.now()
  const again = await request(source, { headers })
  const imported = await request(`${address.url}/v1/workflows/import`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-ndjson' },
    body: again.body,
  })
  const reply = (await imported.body.json()) as { job_count?: number }
  if (imported.statusCode !== 200 || reply.job_count !== jobs)
    throw new Error(`import: ${imported.statusCode} ${JSON.stringify(reply).slice(0, 300)}`)
  return { jobs, exportSeconds, importSeconds: (performance.now() - beganAt) / 1000, megabytes: bytes / 1e6 }
}

await answer(exportAndImport)
