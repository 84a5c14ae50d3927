import { Hono } from 'hono'
import { hasComputeNode } from '../../db/compute-nodes.ts'
import { MOST_RESULTS } from '../../db/result-ids.ts'
import { deleteResult, deleteResults, hasResult, insertResult, listResults, type ResultRow } from '../../db/results.ts'
import { result } from '../../db/schema.ts'
import { updateRow } from '../../db/table.ts'
import type { Unit } from '../../db/unit.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { RESULT_FILTERS as FILTERS } from '../contract/filters.ts'
import { NewResult, ResultChange } from '../contract/result.ts'
import { STATUS, statusWord } from '../core/status.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needJob, needRow, needWorkflow } from './guards.ts'
import { answerList } from './lists.ts'
import { compact, flag } from './reply.ts'

export const reply = ({ superseded, ...row }: ResultRow) =>
  compact({ ...row, status: statusWord(row.status), superseded: flag(superseded) || null })

const measured = (
  body: Pick<ResultChange, 'peak_memory_bytes' | 'avg_memory_bytes' | 'peak_cpu_percent' | 'avg_cpu_percent'>,
) => ({
  peak_memory_bytes: body.peak_memory_bytes ?? undefined,
  avg_memory_bytes: body.avg_memory_bytes ?? undefined,
  peak_cpu_percent: body.peak_cpu_percent ?? undefined,
  avg_cpu_percent: body.avg_cpu_percent ?? undefined,
})

export function resultRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/results', async c => {
    const body = await readBody(c, NewResult)
    return createOnce(c, services, function* () {
      yield* needWorkflow(body.workflow_id)
      const job = yield* needJob(body.job_id)
      if (job.workflow_id !== body.workflow_id) {
        throw new AppError('wrong_workflow', `Cannot store the result as job ${job.id} belongs to another workflow`)
      }
      if (!(yield* hasComputeNode(body.workflow_id, body.compute_node_id))) {
        throw new AppError('invalid', `Cannot store the result as there is no compute node ${body.compute_node_id}`, {
          field: 'compute_node_id',
        })
      }
      const attempt_id = body.attempt_id ?? job.attempt_id
      if (yield* hasResult(job.id, body.run_id, attempt_id)) {
        throw new AppError(
          'conflict',
          `Cannot store the result as job ${job.id} has one for run ${body.run_id}, attempt ${attempt_id}`,
        )
      }
      const stored = yield* insertResult({
        job_id: job.id,
        workflow_id: body.workflow_id,
        run_id: body.run_id,
        attempt_id,
        compute_node_id: body.compute_node_id,
        return_code: body.return_code,
        exec_time_minutes: body.exec_time_minutes,
        completion_time: body.completion_time,
        status: STATUS[body.status],
        recorded_at: clock(),
        superseded: 0,
        ...measured(body),
      })
      if (stored === undefined)
        throw new AppError(
          'conflict',
          `Cannot store the result as job ${job.id} has had ${MOST_RESULTS}, the most there may be`,
        )
      return reply({ ...stored, job_name: job.name })
    })
  })

  routes.get('/results', c => answerList(c, db, FILTERS, listResults, reply))

  routes.get('/results/:id', async c => {
    const id = pathInteger(c, 'id')
    return c.json(reply(await db.read(() => needResult(id))))
  })

  routes.put('/results/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, ResultChange)
    const row = await db.write(function* () {
      const before = yield* needResult(id)
      // Its id holds the job's, so a result cannot move to another job.
      if (body.job_id != null && body.job_id !== before.job_id) {
        throw new AppError('invalid', `Cannot update result ${id} as its job_id is immutable`, { field: 'job_id' })
      }
      yield* updateRow(result, id, {
        run_id: body.run_id ?? undefined,
        return_code: body.return_code ?? undefined,
        exec_time_minutes: body.exec_time_minutes ?? undefined,
        completion_time: body.completion_time ?? undefined,
        status: body.status == null ? undefined : STATUS[body.status],
        ...measured(body),
      })
      return yield* needResult(id)
    })
    return c.json(reply(row))
  })

  routes.delete('/results/:id', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.write(function* () {
      const found = yield* needResult(id)
      yield* deleteResult(id, found.job_id)
      return found
    })
    return c.json(reply(row))
  })

  routes.delete('/results', async c => {
    const { workflow_id } = readQuery(c, { workflow_id: 'integer!' })
    const count = await db.write(function* () {
      yield* needWorkflow(workflow_id)
      return yield* deleteResults(workflow_id)
    })
    return c.json({ count })
  })
  return routes
}

function* needResult(id: number): Unit<ResultRow> {
  const row = yield* needRow(result, 'Result', id)
  const job = yield* needJob(row.job_id)
  return { ...row, job_name: job.name }
}
