import { and, eq } from 'drizzle-orm'
import { equals, type ListRequest, listTable, type Page } from './list.ts'
import { localScheduler } from './schema.ts'
import type { Unit } from './unit.ts'

export type LocalSchedulerRow = typeof localScheduler.$inferSelect
export type LocalSchedulerFilter = { workflow_id: number; memory?: string; num_cpus?: number }

const SORTS = {
  id: localScheduler.id,
  workflow_id: localScheduler.workflow_id,
  memory: localScheduler.memory,
  num_cpus: localScheduler.num_cpus,
}

export function* listLocalSchedulers(
  filter: LocalSchedulerFilter,
  request: ListRequest,
): Unit<Page<LocalSchedulerRow>> {
  const where = and(
    eq(localScheduler.workflow_id, filter.workflow_id),
    equals(localScheduler.memory, filter.memory),
    equals(localScheduler.num_cpus, filter.num_cpus),
  )
  return yield* listTable(localScheduler, where, request, SORTS)
}
