import { Hono } from 'hono'
import { type BulkOutcome, type BulkRequest, changeSelected, countSelected } from '../../db/bulk-change.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { BULK_CHANGES, type BulkBody, type BulkOperation, toBulkChange, toSelector } from '../contract/bulk-change.ts'
import { pathInteger } from '../query.ts'
import { needWorkflow } from './guards.ts'

/** Ours: one change of all jobs that a selector names. */
export function bulkChangeRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  for (const operation of Object.keys(BULK_CHANGES) as BulkOperation[]) {
    routes.post(`/workflows/:id/jobs/${operation}`, async c => {
      const workflowId = pathInteger(c, 'id')
      const body: BulkBody = await readBody(c, BULK_CHANGES[operation])
      await db.read(() => needWorkflow(workflowId))
      const request: BulkRequest = {
        workflowId,
        selector: toSelector(body.selector),
        change: toBulkChange(operation, body),
        user: c.var.user,
      }
      const dryRun = body.dry_run ?? false
      const outcome = dryRun ? await countSelected(db, request) : await changeSelected(db, request, clock)
      return c.json({ workflow_id: workflowId, operation, dry_run: dryRun, ...outcomeReply(outcome) })
    })
  }
  return routes
}

const outcomeReply = ({ matched, changed, matchedByStatus }: BulkOutcome) => ({
  matched_count: matched,
  changed_count: changed,
  matched_by_status: matchedByStatus,
})
