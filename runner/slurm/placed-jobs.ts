import type { ExpandedWorkflow } from '../../api/core/spec/types.ts'
import { cannotRun } from '../command-line/error.ts'
import { depthOfEach, type PlannedJob } from '../plan/stages.ts'
import type { PlacedJob, SetDemand } from './plan-schedulers.ts'

/** What a job without requirements of its own is given. */
const DEFAULT_SET: SetDemand = { name: 'default', nodes: 1, cpus: 1, memoryBytes: 2 ** 20, gpus: 0, runtimeSeconds: 60 }

/** The jobs of a workflow file with what they require and their stages; those with labels have runners of their own. */
export function placeExpanded({ jobs, resourceRequirements }: ExpandedWorkflow): PlacedJob[] {
  const sets = resourceRequirements.map(
    (set): SetDemand => ({
      name: set.name,
      nodes: set.numNodes,
      cpus: set.numCpus,
      memoryBytes: set.memoryBytes,
      gpus: set.numGpus,
      runtimeSeconds: Math.ceil(set.runtimeSeconds),
    }),
  )
  const links = jobs.map(
    (job, index): PlannedJob => ({
      id: index,
      name: job.name,
      resource_requirements_id: job.resourceRequirements ?? -1,
      depends_on_job_ids: job.dependsOn,
      input_file_ids: job.inputFiles,
      output_file_ids: job.outputFiles,
      input_user_data_ids: job.inputUserData,
      output_user_data_ids: job.outputUserData,
    }),
  )
  return place(links, id => sets[id] ?? DEFAULT_SET).filter((_, index) => jobs[index]!.labels.length === 0)
}

/** Gives every job its stage. Throws when some wait for each other. */
export function place(jobs: readonly PlannedJob[], setOf: (id: number) => SetDemand): PlacedJob[] {
  const depths = depthOfEach(jobs)
  if (depths === undefined) throw cannotRun('Cannot plan allocations as some jobs wait for each other')
  return jobs.map((job, index) => ({
    name: job.name,
    set: setOf(job.resource_requirements_id),
    stage: depths[index]!,
  }))
}
