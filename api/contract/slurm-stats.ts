import * as v from 'valibot'
import { float, integer, optional, text } from './fields.ts'

export const NewSlurmStats = v.object({
  workflow_id: integer,
  job_id: integer,
  run_id: integer,
  attempt_id: integer,
  slurm_job_id: optional(text),
  max_rss_bytes: optional(integer),
  max_vm_size_bytes: optional(integer),
  max_disk_read_bytes: optional(integer),
  max_disk_write_bytes: optional(integer),
  ave_cpu_seconds: optional(float),
  node_list: optional(text),
})
