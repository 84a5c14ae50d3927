import { explainRefusal } from '../client/explain-refusal.ts'
import { ControlPlaneError } from '../client/must.ts'
import type { Client, Reply } from '../client.ts'
import { cannotRun } from '../command-line/error.ts'
import { idFlag, wordFlag } from '../command-line/flags.ts'
import { FORMATS, type Format } from '../command-line/options.ts'
import { type ControlPlane, type ControlPlaneFlags, type OpenOptions, openControlPlane } from '../control-plane.ts'
import type { WorkflowSummary } from '../wire.ts'

/** Opens the control plane for a while and closes it whatever happens. */
export async function withControlPlane<T>(
  flags: ControlPlaneFlags,
  use: (controlPlane: ControlPlane) => Promise<T>,
  options?: OpenOptions,
): Promise<T> {
  return useControlPlane(await openControlPlane(flags, process.env, options), use)
}

/** Uses one that is open, and closes it whatever happens. Whoever cannot get in is told where, and how one does. */
export async function useControlPlane<C extends ControlPlane, T>(
  controlPlane: C,
  use: (controlPlane: C) => Promise<T>,
): Promise<T> {
  try {
    return await use(controlPlane)
  } catch (error) {
    // Deep below nobody knows where the control plane is.
    if (!(error instanceof ControlPlaneError) || (error.refusal.status ?? 401) !== 401) throw error
    throw cannotRun(explainRefusal(error.refusal, 'go on', controlPlane.where))
  } finally {
    await controlPlane.close()
  }
}

/** The value of a reply; a refusal ends the command with what could not be done (`show workflow 7`) and why. */
export function expectValue<T>(reply: Reply<T>, doing: string, where: string): T {
  if (reply.ok) return reply.value
  throw cannotRun(explainRefusal(reply, doing, where))
}

type Page<T> = { items: T[]; has_more: boolean; count: number }

/** Reads a list to its end, page by page. `path` may have a query. Lists that the contract gives whole are arrays. */
export async function listAll<T>(client: Client, path: string, doing: string, where: string): Promise<T[]> {
  const items: T[] = []
  for (;;) {
    const reply = await client.request<Page<T> | T[]>('GET', withQuery(path, { offset: items.length }))
    const page = expectValue(reply, doing, where)
    if (Array.isArray(page)) return page
    for (const item of page.items) items.push(item)
    if (!page.has_more || page.count === 0) return items
  }
}

/** Reads the part of a list that is asked for; all of it when neither limit nor offset is given. */
export async function listPart<T>(
  client: Client,
  path: string,
  part: { limit?: number; offset?: number },
  doing: string,
  where: string,
): Promise<T[]> {
  if (part.limit === undefined && part.offset === undefined) return listAll(client, path, doing, where)
  const reply = await client.request<Page<T> | T[]>('GET', withQuery(path, part))
  const page = expectValue(reply, doing, where)
  return Array.isArray(page) ? page : page.items
}

/** Adds parameters to a path that may have some; those that are undefined are left out. */
export function withQuery(path: string, parameters: Record<string, string | number | boolean | undefined>): string {
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  if (pairs.length === 0) return path
  return `${path}${path.includes('?') ? '&' : '?'}${pairs.join('&')}`
}

/** A workflow or job that is named by digits is meant by its id. */
const isId = (text: string): boolean => /^[+-]?\d+$/.test(text)

/** The workflow a command is about: the one with this id, else the newest with this name; without a text the newest of all. */
export async function workflowId({ client, where }: ControlPlane, text: string | undefined): Promise<number> {
  if (text !== undefined && isId(text)) return idFlag('the workflow id', text)
  const path = withQuery('/workflows', {
    sort_by: 'id',
    reverse_sort: true,
    limit: 1,
    name: text,
    is_archived: text === undefined ? false : undefined,
  })
  const page = expectValue(await client.request<Page<{ id: number }>>('GET', path), 'list workflows', where)
  const [newest] = page.items
  if (newest !== undefined) return newest.id
  if (text === undefined) throw cannotRun(`Cannot find a workflow in ${where}: there is none yet`)
  throw cannotRun(`Cannot find a workflow named ${text} in ${where}: runner list shows those there are`)
}

/** The job a command is about: the one with this id, else the first with this name in a workflow (the newest unless one is named). */
export async function jobId(controlPlane: ControlPlane, text: string, workflow: string | undefined): Promise<number> {
  if (isId(text)) return idFlag('the job id', text)
  const id = await workflowId(controlPlane, workflow)
  const path = withQuery('/jobs', { workflow_id: id, name: text })
  const { client, where } = controlPlane
  // The filter finds parts of names too.
  const jobs = await listAll<{ id: number; name: string }>(client, path, `find job ${text}`, where)
  const found = jobs.find(job => job.name === text)
  if (found !== undefined) return found.id
  throw cannotRun(`Cannot find a job named ${text} in workflow ${id}: --workflow names another one`)
}

/** Counts by status and whether a workflow is over; cheap whatever its size. */
export async function summaryOf(
  { client, where }: ControlPlane,
  workflowId: number,
  doing: string,
): Promise<WorkflowSummary> {
  return expectValue(await client.request<WorkflowSummary>('GET', `/workflows/${workflowId}/summary`), doing, where)
}

export const formatOf = (text: string | undefined): Format => wordFlag('--format', text, FORMATS) ?? 'table'
