import { topologicalOrder } from './graph.ts'
import { implicitDependencies } from './spec/graph.ts'
import type { ExpandedWorkflow } from './spec/types.ts'

/** Jobs of an expansion that wait for each other, by position in waiting order; undefined when there are none. */
export function findCycle(workflow: Pick<ExpandedWorkflow, 'jobs' | 'files' | 'userData'>): number[] | undefined {
  const from: number[] = []
  const to: number[] = []
  const implicit = implicitDependencies(workflow)
  for (const [job, { dependsOn }] of workflow.jobs.entries()) {
    for (const dependency of [...dependsOn, ...implicit[job]!]) {
      // Initialise adds no edge from a job that reads what it writes to itself either.
      if (dependency === job) continue
      from.push(dependency)
      to.push(job)
    }
  }
  return topologicalOrder({ size: workflow.jobs.length, from, to }).cycle
}
