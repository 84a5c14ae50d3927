import { and, eq } from 'drizzle-orm'
import { equals, type ListRequest, listTable, type Page } from './list.ts'
import { slurmStats } from './schema.ts'
import { insertRow } from './table.ts'
import { run, type Unit } from './unit.ts'

export type SlurmStatsRow = typeof slurmStats.$inferSelect
export type SlurmStatsFilter = { workflow_id: number; job_id?: number; run_id?: number; attempt_id?: number }

export function* listSlurmStats(filter: SlurmStatsFilter, request: ListRequest): Unit<Page<SlurmStatsRow>> {
  const where = and(
    eq(slurmStats.workflow_id, filter.workflow_id),
    equals(slurmStats.job_id, filter.job_id),
    equals(slurmStats.run_id, filter.run_id),
    equals(slurmStats.attempt_id, filter.attempt_id),
  )
  return yield* listTable(slurmStats, where, request)
}

/** Stores what Slurm's accounting says of an attempt, in the place of what it said before: accounting is read again and again. */
export function* storeSlurmStats(values: typeof slurmStats.$inferInsert): Unit<SlurmStatsRow> {
  yield* run(
    'DELETE FROM slurm_stats WHERE workflow_id = ? AND job_id = ? AND run_id = ? AND attempt_id = ?',
    values.workflow_id,
    values.job_id,
    values.run_id,
    values.attempt_id,
  )
  return yield* insertRow(slurmStats, values)
}
