import { Hono } from 'hono'
import { listRunningJobs, listSlurmCorrelations, type RunningJobRow } from '../../db/job-reports.ts'
import type { AppEnv, Services } from '../context.ts'
import { answerListBelow } from './lists.ts'
import { compact, rfc3339 } from './reply.ts'

const runningReply = ({ started_at, ...row }: RunningJobRow) =>
  compact({ ...row, start_time: started_at === null ? null : rfc3339(started_at) })

/** Where jobs run and ran. */
export function jobReportRoutes({ db }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/workflows/:id/running_jobs', c => answerListBelow(c, db, listRunningJobs, runningReply))
  routes.get('/workflows/:id/slurm_job_correlations', c => answerListBelow(c, db, listSlurmCorrelations, compact))
  return routes
}
