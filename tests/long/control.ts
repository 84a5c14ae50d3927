import { setTimeout as sleep } from 'node:timers/promises'
import type { Program } from '../cli/program.ts'

export type Summary = { is_complete: boolean; jobs_by_status: Record<string, number> }
export type Attempt = { job_id: number; attempt_id: number; status: string; failure_class?: string }
export type Node = { num_cpus: number; num_gpus: number; memory_gb: number; is_active: boolean }

/** A control plane of its own, and what tests ask of it. */
export type Control = {
  url: string
  /** A workflow with a job for each command; returns its id. */
  create(commands: readonly string[]): Promise<number>
  summary(workflowId: number): Promise<Summary>
  results(workflowId: number): Promise<Attempt[]>
  nodes(workflowId: number): Promise<Node[]>
  close(): void
}

const ADDRESS = /http:\/\/127\.0\.0\.1:\d+/

/** Starts `runner server` and waits until it listens. */
export async function startControl(program: Program): Promise<Control> {
  const server = program.start(['server', '--port', '0'])
  let said = ''
  const hear = (chunk: Buffer): void => {
    said += chunk
  }
  server.stdout!.on('data', hear)
  server.stderr!.on('data', hear)
  const [url] = (await until(
    () => ADDRESS.exec(said),
    found => found !== null,
  ))!

  async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const reply = await fetch(`${url}/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`)
    return (await reply.json()) as T
  }
  const items = async <T>(path: string): Promise<T[]> => (await request<{ items: T[] }>('GET', path)).items

  return {
    url,
    async create(commands) {
      const { id } = await request<{ id: number }>('POST', '/workflows', { name: 'inside', user: 'ada' })
      const jobs = commands.map((command, index) => ({ workflow_id: id, name: `j${index}`, command }))
      await request('POST', '/bulk_jobs', { jobs })
      await request('POST', `/workflows/${id}/initialize_jobs`)
      return id
    },
    summary: workflowId => request('GET', `/workflows/${workflowId}/summary`),
    results: async workflowId => {
      const all = await items<Attempt>(`/results?workflow_id=${workflowId}&all_runs=true`)
      return all.sort((a, b) => a.attempt_id - b.attempt_id)
    },
    nodes: workflowId => items(`/compute_nodes?workflow_id=${workflowId}`),
    close: () => void server.kill('SIGKILL'),
  }
}

/** Waits for a fact of a cluster; the time-out tells what was seen last. */
export async function until<T>(
  look: () => T | Promise<T>,
  isTrue: (seen: T) => boolean,
  patienceMs = 60_000,
): Promise<T> {
  const startedAt = performance.now()
  for (;;) {
    const seen = await look()
    if (isTrue(seen)) return seen
    if (performance.now() - startedAt > patienceMs) throw new Error(`Waited in vain: last seen ${JSON.stringify(seen)}`)
    await sleep(100)
  }
}
