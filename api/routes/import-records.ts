import { insertAction } from '../../db/actions.ts'
import { insertFiles } from '../../db/files.ts'
import { insertRemoteWorkers } from '../../db/remote-workers.ts'
import { findRequirementsByName } from '../../db/resource-requirements.ts'
import { isEntityTaken } from '../../db/ro-crate-entities.ts'
import {
  computeNode,
  event,
  failureHandler,
  localScheduler,
  resourceRequirements,
  roCrateEntity,
  slurmScheduler,
} from '../../db/schema.ts'
import { storeSlurmStats } from '../../db/slurm-stats.ts'
import { insertRow, updateRow } from '../../db/table.ts'
import type { Unit } from '../../db/unit.ts'
import { insertUserData } from '../../db/user-data.ts'
import type { RecordOf } from '../contract/export.ts'
import { AppError } from '../errors.ts'
import { newValues as actionValues, refuseConfig } from './actions.ts'
import { values as computeNodeValues } from './compute-nodes.ts'
import { values as fileValues } from './files.ts'
import { fault, type Gathered } from './import-document.ts'
import { storeJobs, storeResults } from './import-jobs.ts'
import { type Import, need, needJob, remember } from './import-target.ts'
import { amounts } from './resource-requirements.ts'
import { values as slurmSchedulerValues } from './slurm-schedulers.ts'
import { values as userDataValues } from './user-data.ts'

/** Stores records of one kind. Ends with 422 when one names another that has not come before it. */
export function* storeRecords(target: Import, batch: Gathered): Unit<void> {
  const workflow_id = target.workflowId
  switch (batch.kind) {
    case 'export':
    case 'workflow':
      throw new AppError('invalid', `Cannot import line ${batch.line} as there is a line of its kind already`)
    case 'resource_requirements':
      for (const record of batch.records) yield* storeRequirements(target, record)
      return
    case 'failure_handler':
      for (const { id, name, rules } of batch.records)
        target.handlers.set(id, (yield* insertRow(failureHandler, { workflow_id, name, rules })).id)
      return
    case 'slurm_scheduler':
      for (const record of batch.records) {
        const row = yield* insertRow(slurmScheduler, { workflow_id, ...slurmSchedulerValues(record) })
        target.schedulers.set(record.id, row.id)
      }
      return
    case 'local_scheduler':
      for (const { name, memory, num_cpus } of batch.records)
        yield* insertRow(localScheduler, { workflow_id, name, memory, num_cpus })
      return
    case 'file':
      remember(target.files, batch.records, yield* insertFiles(workflow_id, batch.records.map(fileValues)))
      return
    case 'user_data':
      remember(target.userData, batch.records, yield* insertUserData(workflow_id, batch.records.map(userDataValues)))
      return
    case 'job':
      return yield* storeJobs(target, batch.records, batch.line)
    case 'action':
      for (const record of batch.records) yield* storeAction(target, record, batch.line)
      return
    case 'compute_node':
      if (!target.fresh) yield* storeNodes(target, batch.records)
      return
    case 'result':
      if (!target.fresh) yield* storeResults(target, batch.records, batch.line)
      return
    case 'ro_crate_entity':
      for (const record of batch.records) yield* storeEntity(target, record, batch.line)
      return
    case 'slurm_stats':
      if (target.fresh) return
      for (const record of batch.records)
        yield* storeSlurmStats({ ...record, workflow_id, job_id: needJob(target, record.job_id, batch.line) })
      return
    case 'remote_worker':
      return yield* insertRemoteWorkers(
        workflow_id,
        batch.records.map(record => record.worker),
      )
    case 'event':
      if (target.fresh) return
      for (const { timestamp, data } of batch.records)
        yield* insertRow(event, { workflow_id, timestamp, data: JSON.stringify(data ?? null) })
      return
    case 'end':
  }
}

function* storeRequirements(target: Import, record: RecordOf<'resource_requirements'>): Unit<void> {
  const { workflowId, requirements } = target
  const values = { workflow_id: workflowId, name: record.name, ...amounts(record) }
  // Every workflow has one of this name from the start.
  const standard = record.name === 'default' ? yield* findRequirementsByName(workflowId, 'default') : undefined
  const row =
    standard === undefined
      ? yield* insertRow(resourceRequirements, values)
      : yield* updateRow(resourceRequirements, standard.id, values)
  requirements.set(record.id, row.id)
}

function* storeAction(target: Import, record: RecordOf<'action'>, line: number): Unit<void> {
  const { workflowId, fresh } = target
  const config = { ...record.action_config }
  refuseConfig(record.action_type, config)
  if (typeof config.scheduler_id === 'number') config.scheduler_id = target.schedulers.get(config.scheduler_id)
  const jobs = (record.job_ids ?? []).map(id => needJob(target, id, line))
  const state = fresh ? { trigger_count: 0, executed: false, executed_at: null } : {}
  yield* insertAction(actionValues(workflowId, { ...record, ...state, action_config: config, job_ids: jobs }), jobs)
}

/** The nodes of a record run nothing here: they only say where results came from. */
function* storeNodes(target: Import, records: readonly RecordOf<'compute_node'>[]): Unit<void> {
  for (const record of records) {
    const row = yield* insertRow(computeNode, {
      ...computeNodeValues(record),
      workflow_id: target.workflowId,
      is_active: 0,
      labels: (record.labels ?? []).join(),
    })
    target.nodes.set(record.id, row.id)
  }
}

function* storeEntity(target: Import, record: RecordOf<'ro_crate_entity'>, line: number): Unit<void> {
  const { entity_id, entity_type, metadata } = record
  const file_id = record.file_id == null ? null : need(target.files, record.file_id, 'file_id', line)
  if (yield* isEntityTaken(target.workflowId, { entity_id, file_id }, null))
    throw fault(line, 'as two RO-Crate entities have one id or one file')
  yield* insertRow(roCrateEntity, {
    workflow_id: target.workflowId,
    entity_id,
    entity_type,
    file_id,
    metadata: typeof metadata === 'string' ? metadata : JSON.stringify(metadata),
    metadata_is_object: Number(typeof metadata !== 'string'),
  })
}
