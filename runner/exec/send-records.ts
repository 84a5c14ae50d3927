import { hostname } from 'node:os'
import type { Client, Reply } from '../client.ts'
import type { LaunchRecord } from './record.ts'

const MINUTE_MS = 60_000
const GIB = 2 ** 30

/** What the workflow's node row says of this node. */
export type NodeFacts = { cpus: number; memoryBytes: number; gpus: number }

/** `later`: the control plane is away or busy. `refused`: it will not take these, ever. */
export type Sent = 'sent' | 'later' | 'refused'

type WireJob = { id: number; name: string; attempt_id: number }

/**
 * Adds records to workflows of a control plane, each as a job that has ended, with its result. Names are made of the batch's, so that a
 * batch that is sent again finds what arrived of it the first time.
 */
export class RecordSender {
  readonly #facts: NodeFacts
  /** This node's rows, by workflow. */
  readonly #nodeIds = new Map<number, number>()

  constructor(facts: NodeFacts) {
    this.#facts = facts
  }

  /** `again`: a part of this batch may be there already. */
  async send(
    client: Client,
    workflowId: number,
    batch: string,
    records: readonly LaunchRecord[],
    again: boolean,
  ): Promise<Sent> {
    const steps = new Steps(client)
    const named = new Map(records.map((record, index) => [`exec.${batch}.${index}`, record]))
    const workflow = await steps.request<{ run_id: number }>('GET', `/workflows/${workflowId}`)
    const nodeId = await this.#registerNode(workflowId, steps)
    const known = again ? await this.#findJobs(workflowId, batch, steps) : []
    const missing = [...named].filter(([name]) => !known.some(job => job.name === name))
    const made = missing.length === 0 ? undefined : await this.#createJobs(workflowId, missing, steps)
    const jobs = [...known, ...(made?.jobs ?? [])]
    if (steps.failed === undefined && workflow !== undefined && nodeId !== undefined) {
      const completions = jobs.flatMap(job => {
        const record = named.get(job.name)
        return record === undefined ? [] : [completionOf(record, job, workflowId, workflow.run_id, nodeId)]
      })
      await steps.request('POST', `/workflows/${workflowId}/batch_complete_jobs`, { completions, verdicts: true })
    }
    return steps.failed ?? 'sent'
  }

  async #registerNode(workflowId: number, steps: Steps): Promise<number | undefined> {
    const known = this.#nodeIds.get(workflowId)
    if (known !== undefined) return known
    const { cpus, memoryBytes, gpus } = this.#facts
    const node = await steps.request<{ id: number }>('POST', '/compute_nodes', {
      workflow_id: workflowId,
      hostname: hostname(),
      pid: process.pid,
      start_time: new Date().toISOString(),
      num_cpus: cpus,
      memory_gb: memoryBytes / GIB,
      num_gpus: gpus,
      num_nodes: 1,
      compute_node_type: 'local',
      // It claims nothing, so nobody waits for it.
      is_active: false,
    })
    if (node !== undefined) this.#nodeIds.set(workflowId, node.id)
    return node?.id
  }

  async #findJobs(workflowId: number, batch: string, steps: Steps): Promise<WireJob[]> {
    const name = encodeURIComponent(`exec.${batch}.`)
    const page = await steps.request<{ items: WireJob[] }>('GET', `/jobs?workflow_id=${workflowId}&name=${name}`)
    return page?.items ?? []
  }

  async #createJobs(workflowId: number, named: readonly (readonly [string, LaunchRecord])[], steps: Steps) {
    const jobs = named.map(([name, { command }]) => ({ workflow_id: workflowId, name, command }))
    return steps.request<{ jobs: WireJob[] }>('POST', '/bulk_jobs', { jobs })
  }
}

/** Requests one after the other; after the first that fails none is made any more. */
class Steps {
  readonly #client: Client
  failed: 'later' | 'refused' | undefined

  constructor(client: Client) {
    this.#client = client
  }

  async request<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T | undefined> {
    if (this.failed !== undefined) return undefined
    const reply: Reply<T> = await this.#client.request<T>(method, path, body)
    if (reply.ok) return reply.value
    const isRefused = reply.status === 404 || reply.status === 422 || reply.status === 403
    this.failed = isRefused ? 'refused' : 'later'
    return undefined
  }
}

function completionOf(record: LaunchRecord, job: WireJob, workflowId: number, runId: number, nodeId: number) {
  const status = record.return_code === 0 ? 'completed' : 'failed'
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000)
  return {
    job_id: job.id,
    status,
    run_id: runId,
    ...(status === 'failed' ? { failure_class: record.return_code > 128 ? 'signal' : 'exit_code' } : {}),
    result: {
      job_id: job.id,
      workflow_id: workflowId,
      run_id: runId,
      attempt_id: job.attempt_id,
      compute_node_id: nodeId,
      return_code: record.return_code,
      exec_time_minutes: Math.max(0, record.exited_at - record.started_at) / MINUTE_MS,
      completion_time: new Date(record.exited_at).toISOString(),
      status,
    },
    usage: {
      user_seconds: seconds(record.user_ms),
      system_seconds: seconds(record.system_ms),
      peak_memory_bytes: record.peak_memory_bytes,
    },
    phase_times: { launched: record.started_at, exited: record.exited_at },
  }
}
