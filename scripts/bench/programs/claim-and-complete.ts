import { randomUUID } from 'node:crypto'
import { LEASE_SECONDS } from '../../../api/core/leases.ts'
import type { ClaimPart, CompletionEntry, ExchangeReply, ExchangeRequest } from '../../../runner/wire.ts'
import type { Address } from '../server.ts'
import { answer } from './answer.ts'
import { type Api, openApi } from './api.ts'

export type Exchange = {
  address: Address
  workflowId: number
  /** Jobs in one request, and how many requests are under way at once. */
  batch: number
  connections: number
  /** No more is claimed once this many jobs are; without it all jobs of the workflow are worked off. */
  jobs?: number
}
export type Exchanged = { jobs: number; seconds: number; slowestMs: number }

/** More than any batch needs: what limits a claim here is its batch alone. */
const MEMORY_GB = 4096

/** Works jobs off without running them: as many runners as connections, each completing a batch and claiming the next in one request. */
async function claimAndComplete(exchange: Exchange): Promise<Exchanged> {
  const { address, workflowId, connections } = exchange
  const api = openApi(address, connections)
  const { run_id } = await api.send<{ run_id: number }>('GET', `/workflows/${workflowId}`)
  const nodes = await Promise.all(Array.from({ length: connections }, () => registerNode(api, exchange)))
  const progress = { claimed: 0, completed: 0, slowestMs: 0 }
  const beganAt = performance.now()
  await Promise.all(nodes.map(nodeId => workOff(api, exchange, { nodeId, runId: run_id }, progress)))
  const seconds = (performance.now() - beganAt) / 1000
  await api.close()
  return { jobs: progress.completed, seconds, slowestMs: progress.slowestMs }
}

async function registerNode(api: Api, { workflowId, batch }: Exchange): Promise<number> {
  const node = {
    workflow_id: workflowId,
    hostname: 'bench',
    pid: process.pid,
    start_time: new Date().toISOString(),
    num_cpus: batch,
    memory_gb: MEMORY_GB,
    num_gpus: 0,
    num_nodes: 1,
    compute_node_type: 'local',
    is_active: true,
  }
  return (await api.send<{ id: number }>('POST', '/compute_nodes', JSON.stringify(node))).id
}

/**
 * Ends when a claim brings nothing: the runners that still have jobs then claim what those release, since no job releases more than
 * one other.
 */
async function workOff(
  api: Api,
  { workflowId, batch, jobs = Infinity }: Exchange,
  runner: { nodeId: number; runId: number },
  progress: { claimed: number; completed: number; slowestMs: number },
): Promise<void> {
  let completions: CompletionEntry[] = []
  for (let first = true; first || completions.length > 0; first = false) {
    const request: ExchangeRequest = { completions, verdicts: true }
    if (progress.claimed < jobs) request.claim = claimPart(runner.nodeId, batch)
    const path = `/workflows/${workflowId}/batch_complete_jobs`
    const sentAt = performance.now()
    const reply = await api.send<ExchangeReply>('POST', path, JSON.stringify(request))
    progress.slowestMs = Math.max(progress.slowestMs, performance.now() - sentAt)
    if (reply.completed.length !== completions.length)
      throw new Error(`${completions.length - reply.completed.length} completions refused: ${reply.errors[0]?.message}`)
    const claimed = reply.claimed ?? []
    progress.completed += completions.length
    progress.claimed += claimed.length
    completions = claimed.map(job => completionOf(job, runner))
  }
}

function claimPart(nodeId: number, batch: number): ClaimPart {
  const total = { num_cpus: batch, memory_gb: MEMORY_GB, num_gpus: 0 }
  return {
    claim_id: randomUUID(),
    lease_seconds: LEASE_SECONDS,
    limit: batch,
    labels: [],
    compute_node_id: nodeId,
    start: true,
    num_nodes: 1,
    total,
    ...total,
  }
}

type Claimed = NonNullable<ExchangeReply['claimed']>[number]

/** A completion as the runner reports it: result, usage, times, and the times of the files the job made. */
function completionOf(job: Claimed, { nodeId, runId }: { nodeId: number; runId: number }): CompletionEntry {
  const exited = Date.now()
  return {
    job_id: job.id,
    status: 'completed',
    run_id: runId,
    claim_token: job.claim_token,
    result: {
      job_id: job.id,
      workflow_id: job.workflow_id,
      run_id: runId,
      attempt_id: job.attempt_id,
      compute_node_id: nodeId,
      return_code: 0,
      exec_time_minutes: 0.0001,
      completion_time: new Date(exited).toISOString(),
      status: 'completed',
    },
    usage: { user_seconds: 0.001, system_seconds: 0.002, peak_memory_bytes: 3_500_000 },
    phase_times: { launched: exited - 6.25, exited: exited - 0.25 },
    file_times: job.output_files?.map(({ id }) => ({ file_id: id, st_mtime: exited / 1000 })),
  }
}

await answer(claimAndComplete)
