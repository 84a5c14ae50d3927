/** What of a workflow can run side by side: its jobs in stages, each waiting for the one before. Pure. */
import { topologicalOrder } from '../../api/core/graph.ts'

export type PlannedJob = {
  id: number
  name: string
  resource_requirements_id: number
  depends_on_job_ids?: number[]
  input_file_ids?: number[]
  output_file_ids?: number[]
  input_user_data_ids?: number[]
  output_user_data_ids?: number[]
}

/** Jobs of one stage that require the same. */
export type StagePart = { requirements_id: number; jobs: number; names: string[] }
export type Stage = { stage: number; jobs: number; parts: StagePart[] }

/** Names beyond these are counted only. */
const NAMED = 3

/** Puts jobs in stages by all they wait for: jobs, and makers of their files and user data. Undefined when they wait in a circle. */
export function stagesOf(jobs: readonly PlannedJob[]): Stage[] | undefined {
  const depths = depthOfEach(jobs)
  return depths && collect(jobs, depths)
}

/** How many stages stand before each job. Undefined when some wait in a circle. */
export function depthOfEach(jobs: readonly PlannedJob[]): Int32Array | undefined {
  const position = new Map(jobs.map((job, index) => [job.id, index]))
  const { from, to } = edgesOf(jobs, position)
  const { order } = topologicalOrder({ size: jobs.length, from, to })
  return order && depthsOf(jobs.length, order, from, to)
}

type Edges = { from: number[]; to: number[] }

function edgesOf(jobs: readonly PlannedJob[], position: ReadonlyMap<number, number>): Edges {
  const makers = { file: new Map<number, number[]>(), data: new Map<number, number[]>() }
  jobs.forEach((job, index) => {
    for (const id of job.output_file_ids ?? []) push(makers.file, id, index)
    for (const id of job.output_user_data_ids ?? []) push(makers.data, id, index)
  })
  const edges: Edges = { from: [], to: [] }
  jobs.forEach((job, index) => {
    const before = [
      ...(job.depends_on_job_ids ?? []).flatMap(id => position.get(id) ?? []),
      ...(job.input_file_ids ?? []).flatMap(id => makers.file.get(id) ?? []),
      ...(job.input_user_data_ids ?? []).flatMap(id => makers.data.get(id) ?? []),
    ]
    for (const one of new Set(before)) {
      if (one === index) continue
      edges.from.push(one)
      edges.to.push(index)
    }
  })
  return edges
}

function push(map: Map<number, number[]>, key: number, value: number): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}

/** The longest way to each job. */
function depthsOf(size: number, order: Int32Array, from: readonly number[], to: readonly number[]): Int32Array {
  const next: number[][] = Array.from({ length: size }, () => [])
  from.forEach((one, index) => {
    next[one]!.push(to[index]!)
  })
  const depth = new Int32Array(size)
  for (const job of order) for (const one of next[job]!) depth[one] = Math.max(depth[one]!, depth[job]! + 1)
  return depth
}

function collect(jobs: readonly PlannedJob[], depth: Int32Array): Stage[] {
  const stages: { jobs: number; parts: Map<number, StagePart> }[] = []
  jobs.forEach((job, index) => {
    const at = depth[index]!
    stages[at] ??= { jobs: 0, parts: new Map() }
    const { parts } = stages[at]
    stages[at].jobs++
    const id = job.resource_requirements_id
    const part = parts.get(id) ?? { requirements_id: id, jobs: 0, names: [] }
    part.jobs++
    if (part.names.length < NAMED) part.names.push(job.name)
    parts.set(id, part)
  })
  return stages.map(({ jobs: count, parts }, index) => ({ stage: index + 1, jobs: count, parts: [...parts.values()] }))
}
