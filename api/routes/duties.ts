import { Hono } from 'hono'
import { type DutyRow, findDuty, listDuties, takeDuty } from '../../db/duties.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { DutyClaim } from '../contract/allocation.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { needWorkflow } from './guards.ts'
import { compact, jsonText, storedJson } from './reply.ts'

const reply = ({ state, ...row }: DutyRow) => compact({ ...row, state: storedJson(state) })

/** Who sees to what for a workflow: one process at a time for each duty, whoever of several took it first. */
export function dutyRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/workflows/:id/duties', async c => {
    const id = pathInteger(c, 'id')
    const rows = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listDuties(id)
    })
    return c.json({ items: rows.map(reply), count: rows.length })
  })

  // Taking what one has already renews it, so the request may be repeated.
  routes.post('/workflows/:id/duties', async c => {
    const id = pathInteger(c, 'id')
    const { name, holder, lease_seconds, state } = await readBody(c, DutyClaim)
    const row = await db.write(function* () {
      yield* needWorkflow(id)
      const claim = { workflowId: id, name, holder, leaseMs: lease_seconds * 1000, state: jsonText(state) }
      const taken = yield* takeDuty(claim, clock())
      if (taken !== undefined) return taken
      const { holder: other, expires_at } = (yield* findDuty(id, name))!
      throw new AppError('conflict', `Cannot take the duty ${name} as ${other} has it`, { holder: other, expires_at })
    })
    return c.json(reply(row))
  })
  return routes
}
