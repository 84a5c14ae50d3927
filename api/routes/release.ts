import { Hono } from 'hono'
import * as v from 'valibot'
import { drainFrontier } from '../../db/frontier.ts'
import { nodeExists, releaseClaims } from '../../db/release.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { bool, integer, optional, text } from '../contract/fields.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'

const releaseSchema = v.object({
  claims: optional(
    v.array(
      v.object({ job_id: integer, claim_token: text, lost: optional(v.picklist(['node_lost', 'allocation_end'])) }),
    ),
  ),
  rest: optional(bool),
})

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
    const done = await db.write(function* () {
      if (!(yield* nodeExists(id))) throw new AppError('not_found', `Compute node not found with ID: ${id}`)
      return yield* releaseClaims(id, claims, { now: clock(), rest: body.rest ?? false })
    })
    if (done.leftOver) await drainFrontier(db, clock)
    return c.json({ released: done.released, lost: done.lost, failed: done.failed })
  })
  return routes
}
