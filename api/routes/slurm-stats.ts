import { Hono } from 'hono'
import { listSlurmStats, type SlurmStatsRow, storeSlurmStats } from '../../db/slurm-stats.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { SLURM_STATS_FILTERS as FILTERS } from '../contract/filters.ts'
import { NewSlurmStats } from '../contract/slurm-stats.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { listReply, PAGING, pageOf, readQuery } from '../query.ts'
import { needJob, needWorkflow } from './guards.ts'
import { compact } from './reply.ts'

export const reply = (row: SlurmStatsRow) => compact(row)

export function slurmStatsRoutes(services: Services): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()

  routes.post('/slurm_stats', async c => {
    const body = await readBody(c, NewSlurmStats)
    return createOnce(c, services, function* () {
      yield* needWorkflow(body.workflow_id)
      const job = yield* needJob(body.job_id)
      if (job.workflow_id !== body.workflow_id) {
        throw new AppError('wrong_workflow', `Cannot store the statistics as job ${job.id} belongs to another workflow`)
      }
      return reply(yield* storeSlurmStats(body))
    })
  })

  routes.get('/slurm_stats', async c => {
    const query = readQuery(c, { ...FILTERS, ...PAGING })
    const page = pageOf(query, 'clamp')
    const { rows, total, keyset } = await db.read(function* () {
      yield* needWorkflow(query.workflow_id)
      return yield* listSlurmStats(query, page)
    })
    // Here max_limit is the limit in effect (contract/notes.md 2.1).
    return c.json({ ...listReply(rows.map(reply), total, page, keyset), max_limit: page.limit })
  })
  return routes
}
