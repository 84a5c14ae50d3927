import { canonicalExpansion } from '../../api/core/spec/canonical.ts'
import type { ExpandedWorkflow } from '../../api/core/spec/types.ts'

/** Lists of jobs are sets, and an edge that files say too is one edge. */
export function comparable(workflow: ExpandedWorkflow): string {
  return canonicalExpansion({
    ...workflow,
    jobs: workflow.jobs.map(job => ({
      ...job,
      dependsOn: ascending(job.dependsOn.filter(index => !madeBy(workflow, index, job))),
      inputFiles: ascending(job.inputFiles),
      outputFiles: ascending(job.outputFiles),
      inputUserData: ascending(job.inputUserData),
      outputUserData: ascending(job.outputUserData),
    })),
  })
}

function madeBy({ jobs }: ExpandedWorkflow, producer: number, job: ExpandedWorkflow['jobs'][number]): boolean {
  const { outputFiles, outputUserData } = jobs[producer]!
  return (
    job.inputFiles.some(file => outputFiles.includes(file)) ||
    job.inputUserData.some(item => outputUserData.includes(item))
  )
}

const ascending = (indices: readonly number[]): number[] => [...indices].sort((a, b) => a - b)
