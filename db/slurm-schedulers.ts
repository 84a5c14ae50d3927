import { eq } from 'drizzle-orm'
import { type ListRequest, listTable, type Page } from './list.ts'
import { slurmScheduler } from './schema.ts'
import type { Unit } from './unit.ts'

export type SlurmSchedulerRow = typeof slurmScheduler.$inferSelect

export function* listSlurmSchedulers(
  filter: { workflow_id: number },
  request: ListRequest,
): Unit<Page<SlurmSchedulerRow>> {
  return yield* listTable(slurmScheduler, eq(slurmScheduler.workflow_id, filter.workflow_id), request)
}
