import * as v from 'valibot'
import { NewComputeNode } from '../../contract/compute-node.ts'
import { NewFailureHandler } from '../../contract/failure-handler.ts'
import { bool, float, integer, text } from '../../contract/fields.ts'
import { NewFile } from '../../contract/file.ts'
import { NewLocalScheduler } from '../../contract/local-scheduler.ts'
import { NewRoCrateEntity } from '../../contract/ro-crate-entity.ts'
import { NewScheduledComputeNode } from '../../contract/scheduled-compute-node.ts'
import { NewSlurmScheduler } from '../../contract/slurm-scheduler.ts'
import { NewSlurmStats } from '../../contract/slurm-stats.ts'
import { NewUserData } from '../../contract/user-data.ts'

/** What the API shows of rows is what it takes, with an id. */
const own = { id: integer }

export const FileModel = v.object({
  ...NewFile.entries,
  ...own,
  size_bytes: v.optional(integer),
  sha256: v.optional(text),
})
export const Files = v.object({ files: v.array(FileModel) })
export const UserDataModel = v.object({ ...NewUserData.entries, ...own, is_ephemeral: bool })
export const UserDataItems = v.object({ user_data: v.array(UserDataModel) })
export const MissingUserData = v.object({ user_data: v.array(integer) })
export const RequiredFiles = v.object({ files: v.array(integer) })

export const ResourceRequirementsModel = v.object({
  ...own,
  workflow_id: integer,
  name: text,
  num_cpus: integer,
  num_gpus: integer,
  num_nodes: integer,
  memory: text,
  runtime: text,
})

export const FailureHandlerModel = v.object({ ...NewFailureHandler.entries, ...own })
export const SlurmSchedulerModel = v.object({ ...NewSlurmScheduler.entries, ...own, serialize_allocations: bool })
export const LocalSchedulerModel = v.object({ ...NewLocalScheduler.entries, ...own })
export const ScheduledComputeNodeModel = v.object({ ...NewScheduledComputeNode.entries, ...own })
export const ComputeNodeModel = v.object({ ...NewComputeNode.entries, ...own })
export const RoCrateEntityModel = v.object({ ...NewRoCrateEntity.entries, ...own })
export const SlurmStatsModel = v.object({ ...NewSlurmStats.entries, ...own })
export const EventModel = v.object({ ...own, workflow_id: integer, timestamp: integer, data: v.unknown() })
export const RemoteWorkerModel = v.object({ worker: text, workflow_id: integer })

export const Ping = v.object({ status: text })
export const Version = v.object({ version: text, api_version: text, git_hash: text })

export const AccessGroupModel = v.object({
  ...own,
  name: text,
  description: v.optional(text),
  created_at: text,
})
export const MembershipModel = v.object({
  ...own,
  user_name: text,
  group_id: integer,
  role: v.picklist(['member', 'admin']),
  created_at: text,
})
export const WorkflowAccessGroup = v.object({ workflow_id: integer, group_id: integer, created_at: text })
export const AccessCheck = v.object({
  has_access: bool,
  user_name: text,
  workflow_id: integer,
})

export const ReloadedAuth = v.object({ message: text, user_count: integer })
export const AdminSqlResult = v.object({
  columns: v.array(text),
  items: v.array(v.record(v.string(), v.unknown())),
  committed: bool,
  rows_affected: v.optional(integer),
})
export const ApiStats = v.object({
  now_ms: integer,
  interval_seconds: integer,
  window_seconds: integer,
  buckets: v.array(
    v.object({
      start_ms: integer,
      request_count: integer,
      bytes_in: integer,
      bytes_out: integer,
      status_2xx: integer,
      status_4xx: integer,
      status_5xx: integer,
      status_other: integer,
    }),
  ),
})
export const AuditLogEntry = v.object({
  ...own,
  timestamp: integer,
  user_name: text,
  sql_text: text,
  is_write: bool,
  allow_full_table: bool,
  committed: bool,
  success: bool,
  rows_affected: v.optional(integer),
  error: v.optional(text),
})

/** Ours: a call that changed something about the server. */
export const AdminCall = v.object({
  ...own,
  timestamp: integer,
  user_name: text,
  token_id: v.optional(integer),
  operation: text,
  detail: v.optional(text),
})

export const Released = v.object({ released: v.array(integer), lost: v.array(integer), failed: v.array(integer) })
export const Heartbeat = v.object({
  lease_expires_at: v.optional(float),
  lost: v.array(integer),
  cancel: v.array(integer),
  reclaimed: v.array(v.object({ job_id: integer, claim_token: text, attempt_id: integer })),
  ready_hint: v.optional(bool),
  starving: v.optional(bool),
})
