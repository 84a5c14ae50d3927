import { Hono } from 'hono'
import { changePipeRun, movePipeRun, movePipeRunIfAllowed, type PipeRunRow, takePostStep } from '../../db/pipe-runs.ts'
import { changePipeSubmission, findPipeSubmission } from '../../db/pipe-submissions.ts'
import type { Unit } from '../../db/unit.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import {
  PipeIngestion,
  PipeObservation,
  PipePostStep,
  PipePostStepEnd,
  PipeStrike,
  PipeSubmissionChange,
} from '../contract/pipe.ts'
import { areMembersCompleted, areMembersOver } from '../core/pipe/counts.ts'
import { STRIKES } from '../core/pipe/state.ts'
import { AppError, missing } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { observeAndDecide } from './pipe-observe.ts'
import {
  countMembers,
  describePipeRun,
  isReadable,
  needOpenPipeRun,
  needPipeRun,
  submissionReply,
} from './pipe-reply.ts'

/** What a process on a login node tells of a run while it looks after it. None of it changes a run that has ended. */
export function pipeReconcileRoutes({ db, clock }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/pipe_runs/:id/observe', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, PipeObservation)
    const name = `hr-${crypto.randomUUID().slice(0, 8)}`
    return c.json(
      await db.write(function* () {
        return yield* observeAndDecide(yield* needOpenPipeRun(id, 'observe'), body, { now: clock(), name })
      }),
    )
  })

  routes.put('/pipe_runs/:id/submissions/:submission_id', async c => {
    const id = pathInteger(c, 'id')
    const submissionId = pathInteger(c, 'submission_id')
    const { state, scheduler_id, message } = await readBody(c, PipeSubmissionChange)
    if (state === 'submitted' && !scheduler_id)
      throw new AppError('invalid', 'Cannot record a submission as scheduler_id is missing', { field: 'scheduler_id' })
    const row = await db.write(function* () {
      const run = yield* needPipeRun(id)
      const before = yield* findPipeSubmission(id, submissionId)
      if (before === undefined) throw missing('Pipe submission', submissionId)
      const now = clock()
      // An answer that comes twice, or after somebody else has looked the name up, changes nothing.
      if (state && before.state !== 'intended') return before
      if (state === 'submitted') yield* movePipeRunIfAllowed(run, 'submitted', now)
      const acknowledged = { acknowledged_at: now, scheduler_id: scheduler_id ?? undefined, liveness: 'alive' as const }
      return yield* changePipeSubmission(submissionId, {
        state: state ?? undefined,
        message: message ?? undefined,
        ...(state === 'submitted' ? acknowledged : {}),
      })
    })
    return c.json(submissionReply(row, clock()))
  })

  routes.post('/pipe_runs/:id/strikes', async c => {
    const id = pathInteger(c, 'id')
    const { error } = await readBody(c, PipeStrike)
    return c.json(
      await db.write(function* () {
        const run = yield* needOpenPipeRun(id, 'count a strike of')
        const after = yield* error ? strike(run, error, clock()) : changePipeRun(id, { strikes: 0, last_error: null })
        return yield* describePipeRun(after, clock())
      }),
    )
  })

  routes.post('/pipe_runs/:id/ingestion', async c => {
    const id = pathInteger(c, 'id')
    const { unreadable } = await readBody(c, PipeIngestion)
    return c.json(
      await db.write(function* () {
        yield* needOpenPipeRun(id, 'ingest results of')
        const told = yield* changePipeRun(id, { unreadable: JSON.stringify(unreadable) })
        return yield* describePipeRun(yield* settle(told, clock()), clock())
      }),
    )
  })

  routes.post('/pipe_runs/:id/post_step/claim', async c => {
    const id = pathInteger(c, 'id')
    const { by } = await readBody(c, PipePostStep)
    const claimed = await db.write(function* () {
      const run = yield* needOpenPipeRun(id, 'take the post step of')
      return isReadable(run) && areMembersOver(yield* countMembers(run)) && (yield* takePostStep(id, by))
    })
    return c.json({ id, claimed })
  })

  routes.post('/pipe_runs/:id/post_step', async c => {
    const id = pathInteger(c, 'id')
    const { return_code } = await readBody(c, PipePostStepEnd)
    return c.json(
      await db.write(function* () {
        const run = yield* needOpenPipeRun(id, 'end the post step of')
        if (run.post_state !== 'running')
          throw new AppError('illegal_status', `Cannot end the post step of pipe run ${id} as it is ${run.post_state}`)
        const ended = yield* changePipeRun(id, { post_state: 'ended', post_return_code: return_code })
        return yield* describePipeRun(yield* settle(ended, clock()), clock())
      }),
    )
  })
  return routes
}

/** One that goes well begins the count anew. */
function* strike(run: PipeRunRow, error: string, now: number): Unit<PipeRunRow> {
  const strikes = run.strikes + 1
  const struck = yield* changePipeRun(run.id, { strikes, last_error: error })
  if (strikes < STRIKES) return struck
  return yield* movePipeRun(run.id, 'failed', now, `${STRIKES} reconciliations in a row went wrong: ${error}`)
}

/** Ends a run whose members have ended, whose results could all be read, and whose post step is over. */
function* settle(run: PipeRunRow, now: number): Unit<PipeRunRow> {
  const counts = yield* countMembers(run)
  if (run.state !== 'ingesting' || !areMembersOver(counts) || !isReadable(run)) return run
  if (run.post_state === 'due' || run.post_state === 'running') return run
  if (run.post_return_code !== null && run.post_return_code !== 0)
    return yield* movePipeRun(run.id, 'failed', now, `its post step ended with ${run.post_return_code}`)
  return yield* movePipeRun(run.id, areMembersCompleted(counts) ? 'completed' : 'partial', now)
}
