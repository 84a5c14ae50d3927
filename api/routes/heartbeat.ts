import { Hono } from 'hono'
import { drainFrontier } from '../../db/frontier.ts'
import { type Heartbeat, renewClaims, type ToldClaim } from '../../db/heartbeat.ts'
import { readOptionalBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { heartbeatSchema } from '../contract/heartbeat.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { newSecret } from './claims.ts'

/** A runner renews all its leases and hears what is no longer its own (contract/notes.md 18). */
export function heartbeatRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/compute_nodes/:id/heartbeat', async c => {
    const id = pathInteger(c, 'id')
    const body = await readOptionalBody(c, heartbeatSchema)
    const claims = (body?.claims ?? []).map(toToldClaim)
    const leaseSeconds = body?.lease_seconds ?? undefined
    const secret = newSecret()
    const done = await db.write(function* () {
      const heartbeat = yield* renewClaims(id, claims, { now: clock(), secret, leaseSeconds })
      if (heartbeat === undefined) throw new AppError('not_found', `Compute node not found with ID: ${id}`)
      return heartbeat
    })
    if (done.due.leftOver) await drainFrontier(db, clock)
    return c.json(heartbeatReply(done))
  })
  return routes
}

type WireClaim = { job_id: number; claim_token: string; running?: boolean | null }

export const toToldClaim = ({ job_id, claim_token, running }: WireClaim): ToldClaim => ({
  jobId: job_id,
  claimToken: claim_token,
  running: running ?? false,
})

export const heartbeatReply = ({ leaseExpiresAt, lost, cancel, reclaimed, readyHint, starving }: Heartbeat) => ({
  lease_expires_at: leaseExpiresAt,
  lost,
  cancel,
  reclaimed: reclaimed.map(one => ({ job_id: one.jobId, claim_token: one.claimToken, attempt_id: one.attemptId })),
  ready_hint: readyHint,
  starving: starving || undefined,
})
