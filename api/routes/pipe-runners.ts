import { Hono } from 'hono'
import { bindPipeRunner, hearPipeRunner, isBoundTo } from '../../db/pipe-runners.ts'
import { movePipeRunIfAllowed } from '../../db/pipe-runs.ts'
import { noteRegistered } from '../../db/pipe-submissions.ts'
import { computeNode } from '../../db/schema.ts'
import { readBody, readOptionalBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { NewPipeRunner, PipeProgressRequest } from '../contract/pipe.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { needRow } from './guards.ts'
import { needPipeRun, progressOf } from './pipe-reply.ts'

/** What the elements of an array say to the control plane, beside what every runner does. */
export function pipeRunnerRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  // From then on the node gets members of the run only, and none of a run that has ended.
  routes.post('/pipe_runs/:id/runners', async c => {
    const id = pathInteger(c, 'id')
    const { compute_node_id, worker, submission } = await readBody(c, NewPipeRunner)
    const progress = await db.write(function* () {
      const run = yield* needPipeRun(id)
      const node = yield* needRow(computeNode, 'Compute node', compute_node_id)
      if (node.workflow_id !== run.workflow_id)
        throw new AppError('wrong_workflow', `Cannot add a runner as compute node ${node.id} is of another workflow`, {
          field: 'compute_node_id',
        })
      const now = clock()
      yield* bindPipeRunner({ computeNodeId: node.id, pipeRunId: id, worker, submission: submission ?? undefined }, now)
      if (submission) yield* noteRegistered(id, submission)
      const active = run.state === 'ingesting' ? run : yield* movePipeRunIfAllowed(run, 'active', now)
      return yield* progressOf(active, now)
    })
    return c.json(progress)
  })

  routes.post('/pipe_runs/:id/progress', async c => {
    const id = pathInteger(c, 'id')
    const node = (await readOptionalBody(c, PipeProgressRequest))?.compute_node_id ?? undefined
    const isRunner = node !== undefined && (await db.read(() => isBoundTo(node, id)))
    if (isRunner) await db.write(() => hearPipeRunner(node, id, clock()))
    return c.json(
      await db.read(function* () {
        return yield* progressOf(yield* needPipeRun(id), clock())
      }),
    )
  })
  return routes
}
