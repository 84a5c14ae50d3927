import { Hono } from 'hono'
import { cancelPipeMembers } from '../../db/pipe-cancel.ts'
import { listPipeGroups } from '../../db/pipe-groups.ts'
import { listPipeMembers, type MemberRow } from '../../db/pipe-members.ts'
import { changePipeRun, listPipeRuns, movePipeRun, PipeMoveRefused, type PipeRunRow } from '../../db/pipe-runs.ts'
import type { Unit } from '../../db/unit.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { NewPipeRun, PipeRunChange } from '../contract/pipe.ts'
import { areMembersCompleted, areMembersOver } from '../core/pipe/counts.ts'
import { widthOf } from '../core/pipe/decision.ts'
import { elementSize } from '../core/pipe/element.ts'
import { isPipeOver, type PipeState } from '../core/pipe/state.ts'
import { statusWord } from '../core/status.ts'
import { AppError } from '../errors.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger, readQuery } from '../query.ts'
import { needWorkflow } from './guards.ts'
import { countMembers, describePipeRun, isReadable, needOpenPipeRun, needPipeRun } from './pipe-reply.ts'
import { planStaging, runValues, sizeOf, stage } from './pipe-stage.ts'
import { compact, storedJson } from './reply.ts'

/** Members in one page. */
const PAGE = 1_000

/** Pipe runs as their owner sees them: stages one, looks at it, moves it, cancels it. */
export function pipeRunRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/workflows/:id/pipe_runs', async c => {
    const id = pathInteger(c, 'id')
    const { dry_run = false } = readQuery(c, { dry_run: 'boolean' })
    const body = await readBody(c, NewPipeRun)
    if (dry_run) return c.json(await db.read(() => plan(id, body)))
    return createOnce(c, services, function* () {
      yield* needWorkflow(id)
      return yield* describePipeRun(yield* stage(id, body, clock()), clock())
    })
  })

  routes.get('/workflows/:id/pipe_runs', async c => {
    const id = pathInteger(c, 'id')
    const items = await db.read(function* () {
      yield* needWorkflow(id)
      const shown: object[] = []
      for (const run of yield* listPipeRuns(id)) shown.push(yield* describePipeRun(run, clock()))
      return shown
    })
    return c.json({ items, count: items.length })
  })

  routes.get('/workflows/:id/pipe_groups', async c => {
    const id = pathInteger(c, 'id')
    const groups = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* listPipeGroups(id, {})
    })
    const items = groups.map(({ key, ready, open, firstJob, longestSeconds }) => ({
      key,
      ready,
      open,
      first_job_id: firstJob.id,
      longest_runtime_seconds: longestSeconds,
    }))
    return c.json({ items, count: items.length })
  })

  routes.get('/pipe_runs/:id', async c => {
    const id = pathInteger(c, 'id')
    return c.json(
      await db.read(function* () {
        return yield* describePipeRun(yield* needPipeRun(id), clock())
      }),
    )
  })

  routes.get('/pipe_runs/:id/members', async c => {
    const id = pathInteger(c, 'id')
    const { after_id = 0, limit = PAGE } = readQuery(c, { after_id: 'integer', limit: 'integer' })
    const rows = await db.read(function* () {
      yield* needPipeRun(id)
      return yield* listPipeMembers(id, after_id, Math.max(0, Math.min(limit, PAGE)))
    })
    return c.json({ items: rows.map(memberReply), count: rows.length })
  })

  routes.put('/pipe_runs/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, PipeRunChange)
    const run = await db.write(function* () {
      const before = yield* needPipeRun(id)
      const after = body.state ? yield* move(before, body.state, clock(), body.reason ?? undefined) : before
      return yield* describePipeRun(yield* change(after, body), clock())
    })
    return c.json(run)
  })

  routes.post('/pipe_runs/:id/cancel', async c => {
    const id = pathInteger(c, 'id')
    const { run, isNew } = await db.write(function* () {
      const before = yield* needPipeRun(id)
      // A second cancel finishes what a crash has cut short; a run that ended otherwise is left alone.
      if (isPipeOver(before.state)) return { run: before, isNew: false }
      return { run: yield* movePipeRun(id, 'canceled', clock()), isNew: true }
    })
    const canceled = run.state === 'canceled' ? await cancelPipeMembers(db, run, clock) : 0
    return c.json({ id, state: run.state, was_open: isNew, canceled_jobs: canceled })
  })
  return routes
}

/** What staging would make of a request, without doing it. */
function* plan(workflowId: number, body: NewPipeRun): Unit<object> {
  yield* needWorkflow(workflowId)
  const { groups, ready, open } = yield* planStaging(workflowId, body)
  const values = runValues(body, groups)
  const [{ key }] = groups
  return {
    key,
    ready,
    open,
    width: widthOf(ready, sizeOf(values)),
    element: elementSize(key, body.slots ?? 1, body.scheduler),
  }
}

function* move(run: PipeRunRow, to: PipeState, now: number, reason: string | undefined): Unit<PipeRunRow> {
  if (to === 'completed' || to === 'partial') yield* refuseUnlessDone(run, to)
  try {
    return yield* movePipeRun(run.id, to, now, reason)
  } catch (error) {
    if (error instanceof PipeMoveRefused)
      throw new AppError('illegal_status', error.message, { field: 'state', from: error.from, to: error.to })
    throw error
  }
}

/** Nobody's word makes a run complete whose members or results are not. */
function* refuseUnlessDone(run: PipeRunRow, to: PipeState): Unit<void> {
  const counts = yield* countMembers(run)
  const isDone = to === 'completed' ? areMembersCompleted(counts) : areMembersOver(counts)
  if (isDone && isReadable(run)) return
  const why = isReadable(run) ? 'some of its members have not ended so' : 'some of its files cannot be read'
  throw new AppError('illegal_status', `Cannot move pipe run ${run.id} from ${run.state} to ${to} as ${why}`, {
    field: 'state',
  })
}

function* change(run: PipeRunRow, { directory, throttle, resume }: PipeRunChange): Unit<PipeRunRow> {
  let after = run
  if (directory) after = yield* changePipeRun(run.id, { directory })
  if (throttle != null) {
    yield* needOpenPipeRun(run.id, 'change the throttle of')
    after = yield* changePipeRun(run.id, { throttle })
  }
  if (resume !== true) return after
  yield* needOpenPipeRun(run.id, 'resume')
  return yield* changePipeRun(run.id, {
    paused_reason: null,
    paused_at: null,
    strikes: 0,
    last_error: null,
    post_state: run.post_state === 'running' ? 'due' : run.post_state,
  })
}

const memberReply = ({ status, tags, env, ...row }: MemberRow) =>
  compact({ ...row, status: statusWord(status), tags: storedJson(tags), env: storedJson(env) })
