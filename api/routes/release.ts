import { Hono } from 'hono'
import { drainFrontier } from '../../db/frontier.ts'
import { noteHandedBack } from '../../db/handed-back.ts'
import { nodeExists, releaseClaims } from '../../db/release.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { releaseSchema } from '../contract/release.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'

/** A runner gives back what it holds and will not run (contract/notes.md 18). */
export function releaseRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/compute_nodes/:id/release', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, releaseSchema)
    const claims = (body.claims ?? []).map(claim => ({
      jobId: claim.job_id,
      claimToken: claim.claim_token,
      lost: claim.lost ?? undefined,
    }))
    const reasons = new Map((body.claims ?? []).flatMap(({ job_id, reason }) => (reason ? [[job_id, reason]] : [])))
    const done = await db.write(function* () {
      if (!(yield* nodeExists(id))) throw new AppError('not_found', `Compute node not found with ID: ${id}`)
      const now = clock()
      const given = yield* releaseClaims(id, claims, { now, rest: body.rest ?? false })
      const unfit = [...reasons].filter(([jobId]) => given.released.includes(jobId))
      yield* noteHandedBack(id, unfit, now)
      return given
    })
    if (done.leftOver) await drainFrontier(db, clock)
    return c.json({ released: done.released, lost: done.lost, failed: done.failed })
  })
  return routes
}
