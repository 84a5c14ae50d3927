import type { ShellJob } from '../workloads/pipeline.ts'

/**
 * Jobs by their distance from the start, for programs that know no dependencies: each stage has to end before the next begins. Jobs stand
 * after those whose files they read.
 */
export function stagesOf(jobs: readonly ShellJob[]): ShellJob[][] {
  const stageOfFile = new Map<string, number>()
  const stages: ShellJob[][] = []
  for (const job of jobs) {
    const stage = Math.max(-1, ...job.inputs.map(path => stageOfFile.get(path) ?? -1)) + 1
    for (const path of job.outputs) stageOfFile.set(path, stage)
    stages[stage] ??= []
    stages[stage].push(job)
  }
  return stages
}
