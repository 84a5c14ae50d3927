import { hasScheduleNodesAction } from './actions.ts'
import type { WORKFLOW } from './keys.ts'
import type { SpecObject } from './schema.ts'
import type { SpecSummary } from './types.ts'

/** The summary of a file that cannot be read at all. */
export const EMPTY_SUMMARY: SpecSummary = {
  workflow_name: '',
  workflow_description: null,
  job_count: 0,
  job_count_before_expansion: 0,
  file_count: 0,
  file_count_before_expansion: 0,
  user_data_count: 0,
  resource_requirements_count: 0,
  slurm_scheduler_count: 0,
  action_count: 0,
  has_schedule_nodes_action: false,
  job_names: [],
  scheduler_names: [],
}

/** Counts what the file lists and what it expanded to. */
export function summarize(
  { get }: SpecObject<typeof WORKFLOW>,
  jobNames: string[],
  fileCount: number,
  schedulerNames: string[],
): SpecSummary {
  return {
    workflow_name: get.name?.value ?? '',
    workflow_description: get.description?.value ?? null,
    job_count: jobNames.length,
    job_count_before_expansion: get.jobs?.length ?? 0,
    file_count: fileCount,
    file_count_before_expansion: get.files?.length ?? 0,
    user_data_count: get.user_data?.length ?? 0,
    resource_requirements_count: get.resource_requirements?.length ?? 0,
    slurm_scheduler_count: get.slurm_schedulers?.length ?? 0,
    action_count: get.actions?.length ?? 0,
    has_schedule_nodes_action: hasScheduleNodesAction(get.actions ?? []),
    job_names: jobNames,
    scheduler_names: schedulerNames,
  }
}
