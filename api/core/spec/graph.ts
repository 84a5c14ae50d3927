import type { ExpandedJob, ExpandedWorkflow } from './types.ts'

/** The loop of a cycle: each job waits for the next, the last for the first. */
export type Loop = LoopStep[]

export interface LoopStep {
  job: number
  /** What the job waits through: the next job itself, or a file or user_data that the next job makes. */
  via: { kind: 'job' | 'file' | 'userData'; index: number }
}

type Graph = Pick<ExpandedWorkflow, 'files' | 'userData'> & { jobs: readonly ExpandedJob[] }

/** Who makes each file, or each user_data: one list of jobs per index. */
export function producersOf(jobs: readonly ExpandedJob[], count: number, kind: 'files' | 'userData'): number[][] {
  const producers: number[][] = Array.from({ length: count }, () => [])
  for (const [index, job] of jobs.entries()) {
    for (const output of kind === 'files' ? job.outputFiles : job.outputUserData) producers[output]!.push(index)
  }
  return producers
}

/**
 * For every job the producers of its inputs that it does not name itself: the edges that initialisation adds. A job that reads what it
 * writes is among its own.
 */
export function implicitDependencies(graph: Graph): number[][] {
  const files = producersOf(graph.jobs, graph.files.length, 'files')
  const userData = producersOf(graph.jobs, graph.userData.length, 'userData')
  return graph.jobs.map(({ dependsOn, inputFiles, inputUserData }) => {
    const found = new Set<number>()
    for (const file of inputFiles) for (const producer of files[file]!) found.add(producer)
    for (const item of inputUserData) for (const producer of userData[item]!) found.add(producer)
    for (const explicit of dependsOn) found.delete(explicit)
    return [...found].sort((a, b) => a - b)
  })
}

/**
 * Finds a loop of several jobs among explicit and implicit dependencies; undefined when there is none.
 * Files and user_data are nodes of their own, so a file with many producers and consumers costs their sum, not their product.
 */
export function findLoop(graph: Graph): Loop | undefined {
  if (isInOrder(graph)) return undefined
  const { jobs } = graph
  const fileNode = jobs.length
  const dataNode = fileNode + graph.files.length
  const files = producersOf(jobs, graph.files.length, 'files')
  const userData = producersOf(jobs, graph.userData.length, 'userData')

  const predecessorsOf = (node: number): readonly number[] => {
    if (node >= dataNode) return userData[node - dataNode]!
    if (node >= fileNode) return files[node - fileNode]!
    const { dependsOn, inputFiles, outputFiles, inputUserData, outputUserData } = jobs[node]!
    if (inputFiles.length === 0 && inputUserData.length === 0) return dependsOn
    const foreignFiles = without(inputFiles, outputFiles)
    const foreignData = without(inputUserData, outputUserData)
    return [...dependsOn, ...foreignFiles.map(file => fileNode + file), ...foreignData.map(item => dataNode + item)]
  }

  const loop = findNodeLoop(dataNode + graph.userData.length, predecessorsOf)
  return loop && toSteps(loop, fileNode, dataNode)
}

/** Most files list their jobs in an order in which they can run; then nothing needs to be searched. */
function isInOrder({ jobs, files, userData }: Graph): boolean {
  const lastOfFile = new Int32Array(files.length).fill(-1)
  const lastOfData = new Int32Array(userData.length).fill(-1)
  for (const [index, { outputFiles, outputUserData }] of jobs.entries()) {
    for (const file of outputFiles) lastOfFile[file] = index
    for (const item of outputUserData) lastOfData[item] = index
  }
  return jobs.every(
    ({ dependsOn, inputFiles, inputUserData }, job) =>
      (dependsOn.at(-1) ?? -1) < job &&
      inputFiles.every(file => lastOfFile[file]! <= job) &&
      inputUserData.every(item => lastOfData[item]! <= job),
  )
}

/** A job that reads its own output is a problem of its own, and no loop. */
function without(inputs: readonly number[], outputs: readonly number[]): readonly number[] {
  if (inputs.length === 0 || outputs.length === 0) return inputs
  const own = new Set(outputs)
  return inputs.filter(input => !own.has(input))
}

const OPEN = 1
const DONE = 2

/** Walks back along the predecessors, without recursion: a chain of a hundred thousand jobs is normal. */
function findNodeLoop(count: number, predecessorsOf: (node: number) => readonly number[]): number[] | undefined {
  const state = new Uint8Array(count)
  for (let start = 0; start < count; start++) {
    if (state[start] !== 0) continue
    const trail = [{ node: start, predecessors: predecessorsOf(start), next: 0 }]
    state[start] = OPEN
    for (let top = trail.at(-1); top; top = trail.at(-1)) {
      const predecessor = top.predecessors[top.next++]
      if (predecessor === undefined) {
        state[top.node] = DONE
        trail.pop()
      } else if (state[predecessor] === OPEN) {
        const nodes = trail.map(({ node }) => node)
        return nodes.slice(nodes.indexOf(predecessor))
      } else if (state[predecessor] === 0) {
        state[predecessor] = OPEN
        trail.push({ node: predecessor, predecessors: predecessorsOf(predecessor), next: 0 })
      }
    }
  }
  return undefined
}

/** Starts the loop at its first job in the file, and folds the nodes of files and user_data into the steps. */
function toSteps(loop: readonly number[], fileNode: number, dataNode: number): Loop {
  const first = loop.reduce((best, node) => Math.min(best, node))
  const from = loop.indexOf(first)
  const nodes = [...loop.slice(from), ...loop.slice(0, from)]
  const steps: Loop = []
  for (const [at, node] of nodes.entries()) {
    if (node >= fileNode) continue
    const behind = nodes[(at + 1) % nodes.length]!
    if (behind >= dataNode) steps.push({ job: node, via: { kind: 'userData', index: behind - dataNode } })
    else if (behind >= fileNode) steps.push({ job: node, via: { kind: 'file', index: behind - fileNode } })
    else steps.push({ job: node, via: { kind: 'job', index: behind } })
  }
  return steps
}
