import { Hono } from 'hono'
import { appendEvents } from '../../db/stream-events.ts'
import { findActiveTask, findTask, finishTask, insertTask, type TaskRow } from '../../db/tasks.ts'
import type { AppEnv, Services } from '../context.ts'
import { AppError } from '../errors.ts'
import { pathInteger } from '../query.ts'
import { needWorkflow } from './guards.ts'
import { compact } from './reply.ts'

export const taskReply = ({ parameters: _, ...row }: TaskRow) => compact(row)

/** What runs, or ran, for a client that does not wait in one request. */
export function taskRoutes({ db }: Services): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.get('/tasks/:id', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.read(() => findTask(id))
    if (row === undefined) throw new AppError('not_found', `Task not found with ID: ${id}`)
    return c.json(taskReply(row))
  })

  routes.get('/workflows/:id/active_task', async c => {
    const id = pathInteger(c, 'id')
    const row = await db.read(function* () {
      yield* needWorkflow(id)
      return yield* findActiveTask(id)
    })
    return c.json({ task: row === undefined ? null : taskReply(row) })
  })
  return routes
}

export type Task = {
  workflowId: number
  operation: string
  parameters: object
  user: string
  work: () => Promise<void>
}

/**
 * Runs work as a task of its workflow and gives the task once it has ended: nothing runs after a response on an edge runtime. While a
 * task is active, the same request gets that task and another one 409. Expected trouble ends the task as failed; a fault of ours too,
 * and it is thrown.
 */
export async function runTask({ db, clock }: Services, task: Task): Promise<TaskRow> {
  const { workflowId, operation, user, work } = task
  const parameters = JSON.stringify(task.parameters)
  const { row, joined } = await db.write(function* () {
    yield* needWorkflow(workflowId)
    const active = yield* findActiveTask(workflowId)
    if (active === undefined)
      return { row: yield* insertTask(workflowId, operation, parameters, clock()), joined: false }
    if (active.operation === operation && active.parameters === parameters) return { row: active, joined: true }
    throw new AppError('conflict', `Cannot start the task as one with different parameters is active: ${active.id}`, {
      existing_task_id: active.id,
      existing_operation: active.operation,
    })
  })
  if (joined) return row

  const end = (error?: string) =>
    db.write(function* () {
      const ended = yield* finishTask(row.id, clock(), error)
      const message = error ?? `Task ${row.id} (${operation}) succeeded`
      const data = {
        category: 'tasks',
        type: 'task_completed',
        task_id: row.id,
        operation,
        status: ended.status,
        user,
        message,
        error,
      }
      yield* appendEvents(workflowId, clock(), [{ type: 'task_completed', data }])
      return ended
    })
  try {
    await work()
  } catch (error) {
    if (error instanceof AppError) return end(error.message)
    await end('The task met a fault of the server')
    throw error
  }
  return end()
}
