import { readFileSync } from 'node:fs'
import { parseDuration } from '../api/core/duration.ts'
import { parseMemory } from '../api/core/memory.ts'
import type { JobOptions } from '../api/core/spec/options.ts'
import { must } from './client/must.ts'
import type { Client } from './client.ts'
import type { LabelledAttempt } from './launch-label.ts'
import type { Adoption } from './launcher/adopt.ts'
import type { ClaimedJob } from './wire.ts'

/** A job that a killed runner has left running, as this one goes on with it. */
export type AdoptedJob = {
  tag: number
  job: ClaimedJob
  startedAtMs: number
  /** Where it started, and its outputs count from. */
  cwd: string
  /** What it holds of the node, as far as its process shows it. */
  cores: readonly number[]
  gpus: readonly string[]
}

/** All that a runner takes over from a killed one. */
export type TakenOver = {
  adoption: Adoption
  jobs: readonly AdoptedJob[]
  /** Its nodes that have jobs; the runner goes on under their names. */
  nodes: readonly { workflowId: number; computeNodeId: number }[]
}

/** A launch of the former runner that runs. */
export type Surviving = { attempt: LabelledAttempt; launch: Adoption['running'][number] }

type WireJob = {
  name: string
  command: string
  status: string
  resource_requirements_id: number
  output_file_ids?: number[]
  options?: JobOptions
}

type WireNeeds = { num_cpus: number; num_gpus: number; num_nodes: number; memory: string; runtime: string }

/** Reads all that is needed to go on with a job that runs; undefined when the control plane knows it no more. Throws when it refuses. */
export async function readAdopted(
  client: Client,
  { attempt, launch }: Surviving,
  cwd: string,
): Promise<AdoptedJob | undefined> {
  const reply = await client.request<WireJob>('GET', `/jobs/${attempt.jobId}`)
  if (!reply.ok && reply.status === 404) return undefined
  const wire = await must(Promise.resolve(reply))
  const { memory, runtime, ...needs } = await must(
    client.request<WireNeeds>('GET', `/resource_requirements/${wire.resource_requirements_id}`),
  )
  const outputs: { id: number; path: string }[] = []
  for (const id of wire.output_file_ids ?? [])
    outputs.push(await must(client.request<{ id: number; path: string }>('GET', `/files/${id}`)))
  return {
    tag: launch.tag,
    startedAtMs: launch.startedAtMs,
    cwd: wire.options?.cwd ?? cwd,
    job: {
      id: attempt.jobId,
      workflow_id: attempt.workflowId,
      name: wire.name,
      command: wire.command,
      // Held ahead, it may have started before that could be told.
      status: wire.status === 'pending' ? 'pending' : 'running',
      attempt_id: attempt.attemptId,
      claim_token: attempt.claimToken,
      claimed_at: launch.startedAtMs,
      resource_requirements: {
        ...needs,
        memory_bytes: parseMemory(memory) ?? 0,
        runtime_seconds: parseDuration(runtime) ?? 0,
      },
      output_files: outputs,
      options: wire.options,
    },
    cores: readCores(launch.pid),
    gpus: readGpus(launch.pid),
  }
}

/** The cores a process may use; none when it does not say. */
function readCores(pid: number): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readProc(pid, 'status'))?.[1] ?? ''
  return list.split(',').flatMap(range => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return Number.isNaN(first) ? [] : Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** The GPUs it was given (job-environment.ts). */
function readGpus(pid: number): string[] {
  const entry = readProc(pid, 'environ')
    .split('\0')
    .find(line => line.startsWith('TORC_GPU_VISIBLE_DEVICES='))
  return entry === undefined
    ? []
    : entry
        .slice(entry.indexOf('=') + 1)
        .split(',')
        .filter(Boolean)
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    // It has ended in this moment, and holds nothing any more.
    return ''
  }
}
