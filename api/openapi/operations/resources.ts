import type * as v from 'valibot'
import { ComputeNodeChange, NewComputeNode } from '../../contract/compute-node.ts'
import { EventData, NewEvent } from '../../contract/event.ts'
import { NewFailureHandler } from '../../contract/failure-handler.ts'
import { BulkFiles, FileChange, NewFile } from '../../contract/file.ts'
import {
  COMPUTE_NODE_FILTERS,
  EVENT_FILTERS,
  FILE_FILTERS,
  LOCAL_SCHEDULER_FILTERS,
  REQUIREMENTS_FILTERS,
  RESULT_FILTERS,
  RO_CRATE_FILTERS,
  SCHEDULED_NODE_FILTERS,
  SLURM_STATS_FILTERS,
  USER_DATA_FILTERS,
  USER_DATA_LINKS,
} from '../../contract/filters.ts'
import { LocalSchedulerChange, NewLocalScheduler } from '../../contract/local-scheduler.ts'
import { NewResourceRequirements, ResourceRequirementsChange } from '../../contract/resource-requirements.ts'
import { NewResult, ResultChange } from '../../contract/result.ts'
import { NewRoCrateEntity, RoCrateEntityChange } from '../../contract/ro-crate-entity.ts'
import { NewScheduledComputeNode, ScheduledComputeNodeChange } from '../../contract/scheduled-compute-node.ts'
import { NewSlurmScheduler, SlurmSchedulerChange } from '../../contract/slurm-scheduler.ts'
import { NewSlurmStats } from '../../contract/slurm-stats.ts'
import { BulkUserData, NewUserData, UserDataChange } from '../../contract/user-data.ts'
import { PAGING, type Shape, SORTING } from '../../query.ts'
import { DeletedAll, listOf, Message } from '../models/common.ts'
import { ResultModel } from '../models/jobs.ts'
import {
  ComputeNodeModel,
  EventModel,
  FailureHandlerModel,
  FileModel,
  Files,
  LocalSchedulerModel,
  ResourceRequirementsModel,
  RoCrateEntityModel,
  ScheduledComputeNodeModel,
  SlurmSchedulerModel,
  SlurmStatsModel,
  UserDataItems,
  UserDataModel,
} from '../models/resources.ts'
import { type Operation, tagged } from '../operation.ts'

/** What most nouns have: a list, and create, read, change and delete of one, and delete of all that a workflow has. */
type Resource = {
  path: string
  tag: string
  /** One of them, and all, in the ids of the operations. */
  one: string
  many: string
  filters: Shape
  create: v.GenericSchema
  change: v.GenericSchema
  model: v.GenericSchema
  /** Ids that do not follow the pattern. */
  ids?: { deleteOne?: string; deleteAll?: string }
}

const OWN = { workflow_id: 'integer!' } as const

function resource({ path, tag, one, many, filters, create, change, model, ids = {} }: Resource): Operation[] {
  const op = tagged(tag)
  const words = { one: one.replaceAll('_', ' '), many: many.replaceAll('_', ' ') }
  return [
    op('get', path, `list_${many}`, `Lists ${words.many} of a workflow`, {
      query: { ...filters, ...SORTING },
      reply: listOf(model),
    }),
    op('post', path, `create_${one}`, `Creates one`, { body: create, reply: model, creates: true }),
    op('delete', path, ids.deleteAll ?? `delete_${many}`, `Deletes all ${words.many} of a workflow`, {
      query: OWN,
      reply: DeletedAll,
    }),
    op('get', `${path}/{id}`, `get_${one}`, `Shows one`, { reply: model }),
    op('put', `${path}/{id}`, `update_${one}`, `Changes one`, { body: change, reply: model }),
    op('delete', `${path}/{id}`, ids.deleteOne ?? `delete_${one}`, `Deletes one`, { reply: model }),
  ]
}

const files = tagged('files')
const userData = tagged('user data')
const handlers = tagged('failure handlers')
const crate = tagged('RO-Crate')
const slurm = tagged('Slurm')

export const RESOURCE_OPERATIONS: readonly Operation[] = [
  ...resource({
    path: '/files',
    tag: 'files',
    one: 'file',
    many: 'files',
    filters: FILE_FILTERS,
    create: NewFile,
    change: FileChange,
    model: FileModel,
  }),
  files('post', '/bulk_files', 'create_files', 'Creates many at once', {
    body: BulkFiles,
    reply: Files,
    creates: true,
  }),
  ...resource({
    path: '/user_data',
    tag: 'user data',
    one: 'user_data',
    many: 'user_data',
    filters: USER_DATA_FILTERS,
    create: NewUserData,
    change: UserDataChange,
    model: UserDataModel,
    ids: { deleteAll: 'delete_all_user_data' },
  }).map(operation => (operation.id === 'create_user_data' ? { ...operation, query: USER_DATA_LINKS } : operation)),
  userData('post', '/bulk_user_data', 'create_user_data_list', 'Creates many at once', {
    body: BulkUserData,
    reply: UserDataItems,
    creates: true,
  }),
  ...resource({
    path: '/resource_requirements',
    tag: 'resource requirements',
    one: 'resource_requirements',
    many: 'resource_requirements',
    filters: REQUIREMENTS_FILTERS,
    create: NewResourceRequirements,
    change: ResourceRequirementsChange,
    model: ResourceRequirementsModel,
    ids: { deleteOne: 'delete_resource_requirement' },
  }),
  ...resource({
    path: '/results',
    tag: 'results',
    one: 'result',
    many: 'results',
    filters: RESULT_FILTERS,
    create: NewResult,
    change: ResultChange,
    model: ResultModel,
  }),
  ...resource({
    path: '/events',
    tag: 'events',
    one: 'event',
    many: 'events',
    filters: EVENT_FILTERS,
    create: NewEvent,
    change: EventData,
    model: EventModel,
  }),
  ...resource({
    path: '/compute_nodes',
    tag: 'compute nodes',
    one: 'compute_node',
    many: 'compute_nodes',
    filters: COMPUTE_NODE_FILTERS,
    create: NewComputeNode,
    change: ComputeNodeChange,
    model: ComputeNodeModel,
  }),
  ...resource({
    path: '/scheduled_compute_nodes',
    tag: 'allocations',
    one: 'scheduled_compute_node',
    many: 'scheduled_compute_nodes',
    filters: SCHEDULED_NODE_FILTERS,
    create: NewScheduledComputeNode,
    change: ScheduledComputeNodeChange,
    model: ScheduledComputeNodeModel,
  }),
  ...resource({
    path: '/slurm_schedulers',
    tag: 'schedulers',
    one: 'slurm_scheduler',
    many: 'slurm_schedulers',
    filters: OWN,
    create: NewSlurmScheduler,
    change: SlurmSchedulerChange,
    model: SlurmSchedulerModel,
  }),
  ...resource({
    path: '/local_schedulers',
    tag: 'schedulers',
    one: 'local_scheduler',
    many: 'local_schedulers',
    filters: LOCAL_SCHEDULER_FILTERS,
    create: NewLocalScheduler,
    change: LocalSchedulerChange,
    model: LocalSchedulerModel,
  }),
  handlers('post', '/failure_handlers', 'create_failure_handler', 'Creates one', {
    body: NewFailureHandler,
    reply: FailureHandlerModel,
    creates: true,
  }),
  handlers('get', '/failure_handlers/{id}', 'get_failure_handler', 'Shows one', { reply: FailureHandlerModel }),
  handlers('delete', '/failure_handlers/{id}', 'delete_failure_handler', 'Deletes one', { reply: FailureHandlerModel }),
  handlers('get', '/workflows/{id}/failure_handlers', 'list_failure_handlers', 'Lists those of a workflow', {
    query: SORTING,
    reply: listOf(FailureHandlerModel),
  }),
  crate('post', '/ro_crate_entities', 'create_ro_crate_entity', 'Creates one', {
    body: NewRoCrateEntity,
    reply: RoCrateEntityModel,
    creates: true,
  }),
  crate('get', '/ro_crate_entities/{id}', 'get_ro_crate_entity', 'Shows one', { reply: RoCrateEntityModel }),
  crate('put', '/ro_crate_entities/{id}', 'update_ro_crate_entity', 'Changes one', {
    body: RoCrateEntityChange,
    reply: RoCrateEntityModel,
  }),
  crate('delete', '/ro_crate_entities/{id}', 'delete_ro_crate_entity', 'Deletes one', { reply: Message }),
  crate('get', '/workflows/{id}/ro_crate_entities', 'list_ro_crate_entities', 'Lists those of a workflow', {
    query: { ...RO_CRATE_FILTERS, ...SORTING },
    reply: listOf(RoCrateEntityModel),
  }),
  crate('delete', '/workflows/{id}/ro_crate_entities', 'delete_ro_crate_entities', 'Deletes those of a workflow', {
    reply: DeletedAll,
  }),
  slurm('get', '/slurm_stats', 'list_slurm_stats', "Lists what Slurm's accounting says of attempts", {
    query: { ...SLURM_STATS_FILTERS, ...PAGING },
    reply: listOf(SlurmStatsModel),
  }),
  slurm('post', '/slurm_stats', 'create_slurm_stats', 'Stores what it says of one attempt', {
    body: NewSlurmStats,
    reply: SlurmStatsModel,
    creates: true,
  }),
]
