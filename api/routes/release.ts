import { Hono } from 'hono'
import { drainFrontier } from '../../db/frontier.ts'
import { noteHandedBack } from '../../db/handed-back.ts'
import {
  nodeExists,
  type ReleasedClaim,
  type ReleaseReply,
  type ReleaseTerms,
  releaseClaims,
} from '../../db/release.ts'
import type { Unit } from '../../db/unit.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { releaseSchema } from '../contract/release.ts'
import type { HandBackReason } from '../core/hand-back.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'

/** A runner gives back what it holds and will not run (contract/notes.md 18). */
export function releaseRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/compute_nodes/:id/release', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, releaseSchema)
    const done = await db.write(function* () {
      if (!(yield* nodeExists(id))) throw new AppError('not_found', `Compute node not found with ID: ${id}`)
      return yield* takeBack(id, body.claims ?? [], {
        now: clock(),
        rest: body.rest ?? false,
        kept: body.kept ?? undefined,
        restLost: body.rest_lost ?? undefined,
      })
    })
    if (done.leftOver) await drainFrontier(db, clock)
    return c.json({ released: done.released, lost: done.lost, failed: done.failed })
  })
  return routes
}

type WireRelease = {
  job_id: number
  claim_token: string
  lost?: ReleasedClaim['lost'] | null
  reason?: HandBackReason | null
}

/** Takes claims of one node back, and notes which of them it could not run at all. */
export function* takeBack(nodeId: number, claims: readonly WireRelease[], options: ReleaseTerms): Unit<ReleaseReply> {
  const told = claims.map(({ job_id, claim_token, lost }) => ({
    jobId: job_id,
    claimToken: claim_token,
    lost: lost ?? undefined,
  }))
  const reasons = new Map(claims.flatMap(({ job_id, reason }) => (reason ? [[job_id, reason] as const] : [])))
  const given = yield* releaseClaims(nodeId, told, options)
  const unfit = [...reasons].filter(([jobId]) => given.released.includes(jobId))
  yield* noteHandedBack(nodeId, unfit, options.now)
  return given
}
