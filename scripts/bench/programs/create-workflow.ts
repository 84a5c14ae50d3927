import { loadSpec } from '../../../api/spec/load.ts'
import type { WorkflowSummary } from '../../../runner/wire.ts'
import type { Address } from '../server.ts'
import { answer } from './answer.ts'
import { openApi } from './api.ts'

export type Creation = { address: Address; text: string; route: 'from_spec' | 'from_expansion' }
export type Created = { seconds: number; workflowId: number; total: number; ready: number }

/** Creates and initialises a workflow by one request and says how long that took; expanding for `from_expansion` is not counted. */
async function createWorkflow({ address, text, route }: Creation): Promise<Created> {
  const body = route === 'from_spec' ? text : await expansionOf(text)
  const api = openApi(address, 1)
  const beganAt = performance.now()
  const path = `/workflows/${route}?start=true${route === 'from_spec' ? '&file_name=bench.yaml' : ''}`
  const { workflow_id } = await api.send<{ workflow_id: number }>('POST', path, body)
  const seconds = (performance.now() - beganAt) / 1000
  const summary = await api.send<WorkflowSummary>('GET', `/workflows/${workflow_id}/summary`)
  await api.close()
  return {
    seconds,
    workflowId: workflow_id,
    total: summary.total_jobs,
    ready: summary.jobs_by_status.ready ?? 0,
  }
}

async function expansionOf(text: string): Promise<string> {
  const nothing = () => undefined
  const { workflow } = await loadSpec(text, { fileName: 'bench.yaml', readText: nothing, mtime: nothing })
  return JSON.stringify({ workflow })
}

await answer(createWorkflow)
