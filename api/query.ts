import type { KeysetPage, KeysetRequest } from '../db/list.ts'
import type { AppRequest } from './context.ts'
import { isJobStatus, type JobStatus } from './core/status.ts'
import { AppError } from './errors.ts'

type Kinds = { integer: number; boolean: boolean; text: string; list: string[]; texts: string[]; status: JobStatus }
type Kind = keyof Kinds
export type Shape = Readonly<Record<string, Kind | `${Kind}!`>>

/** What `readQuery` gives for a shape: `integer!` must be there, `integer` may be absent. */
export type Query<S extends Shape> = {
  [K in keyof S as S[K] extends `${Kind}!` ? K : never]: S[K] extends `${infer T extends Kind}!` ? Kinds[T] : never
} & {
  [K in keyof S as S[K] extends Kind ? K : never]?: S[K] extends Kind ? Kinds[S[K]] : never
}

const INTEGER = /^[+-]?\d{1,15}$/

/**
 * Reads the named query parameters and ignores others. Ends with 400 on a bad or repeated one, an empty typed one, or a required one
 * that is missing; an empty text counts as absent (contract/notes.md 1). A `list` is separated by commas and may be empty; `texts` is a
 * parameter that may be repeated.
 */
export function readQuery<const S extends Shape>(c: AppRequest, shape: S): Query<S> {
  const found: Record<string, unknown> = {}
  const given = c.req.queries()
  for (const [name, kind] of Object.entries(shape)) {
    const values = given[name]
    if (values === undefined) {
      if (kind.endsWith('!')) throw new AppError('bad_request', `Cannot read the query as ${name} is missing`)
      continue
    }
    if (kind === 'texts') {
      found[name] = values
      continue
    }
    if (values.length > 1) throw new AppError('bad_request', `Cannot read the query as ${name} is given twice`)
    const text = values[0]!
    if (kind === 'text' && text === '') continue
    found[name] = readValue(name, kind.replace('!', '') as Kind, text)
  }
  return found as Query<S>
}

function readValue(name: string, kind: Kind, text: string): unknown {
  switch (kind) {
    case 'text':
    case 'texts':
      return text
    case 'list':
      return text.split(',').filter(piece => piece !== '')
    case 'integer':
      if (INTEGER.test(text)) return Number(text)
      throw new AppError('bad_request', `Cannot read the query as ${name} must be an integer`)
    case 'boolean':
      if (text === 'true' || text === 'false') return text === 'true'
      throw new AppError('bad_request', `Cannot read the query as ${name} must be true or false`)
    case 'status':
      if (isJobStatus(text)) return text
      throw new AppError('bad_request', `Cannot read the query as ${name} must be a job status`)
  }
}

/** Reads an integer of the path; 400 when it is none. */
export function pathInteger(c: AppRequest, name: string): number {
  return readInteger(name, c.req.param(name) ?? '')
}

/** Reads a piece of the path as an integer; 400 when it is none. */
export function readInteger(name: string, text: string): number {
  if (!INTEGER.test(text)) throw new AppError('bad_request', `Cannot read the path as ${name} must be an integer`)
  return Number(text)
}

/** Reads a job status of the path; 400 when it is none. */
export function pathStatus(c: AppRequest, name: string): JobStatus {
  const text = c.req.param(name) ?? ''
  if (!isJobStatus(text)) throw new AppError('bad_request', `Cannot read the path as ${name} must be a job status`)
  return text
}

/** The paging parameters of every list; spread it into the shape. The last two are ours: pages by key (docs/api.md, Lists). */
export const PAGING = { offset: 'integer', limit: 'integer', after_id: 'text', count: 'boolean' } as const
/** Those of the lists that sort. */
export const SORTING = { ...PAGING, sort_by: 'text', reverse_sort: 'boolean' } as const

/** Most items of one page, and how many there are when the client names no limit (contract/notes.md 2.1). */
export const MAX_PAGE = 100_000

export type Paging = { offset: number; limit: number; keyset?: KeysetRequest }

type PagingQuery = Query<typeof PAGING> & { sort_by?: string }

/** Gives the page asked for; 422 on a negative number or a limit over the maximum, or clamps that where the contract does. */
export function pageOf(query: PagingQuery, over: 'refuse' | 'clamp' = 'refuse'): Paging {
  const { offset = 0, limit = MAX_PAGE } = query
  for (const [name, value] of Object.entries({ offset, limit })) {
    if (value < 0) throw new AppError('invalid', `Cannot list as ${name} must be >= 0`, { field: name, value })
  }
  if (limit > MAX_PAGE && over === 'refuse') {
    throw new AppError('invalid', `Cannot list as limit must be <= ${MAX_PAGE}`, { field: 'limit', value: limit })
  }
  return { offset, limit: Math.min(limit, MAX_PAGE), keyset: keysetOf(query) }
}

const CURSOR = /^\d{1,15}(-\d{1,15})*$/

/** Reads `after_id`: an id, or what a reply gave as `next_after_id`. 0 begins the list. It pages by key, so it excludes offset and sort_by. */
function keysetOf({ after_id: after, offset, sort_by, count = false }: PagingQuery): KeysetRequest | undefined {
  if (after === undefined) return undefined
  if (!CURSOR.test(after)) throw new AppError('bad_request', 'Cannot read the query as after_id must be an id')
  const other = offset !== undefined && offset > 0 ? 'offset' : 'sort_by'
  if (other === 'offset' || (sort_by !== undefined && sort_by !== 'id')) {
    throw new AppError('invalid', `Cannot list by after_id and ${other} at once`, { field: other })
  }
  return { after: after === '0' ? [] : after.split('-').map(Number), count }
}

export type ListReply<T> = {
  items: T[]
  offset: number
  max_limit: number
  count: number
  total_count?: number
  has_more: boolean
  next_after_id?: number | string
}

/** The body of a list reply. A page by key counts the whole list only when asked to, and says where the next one begins. */
export function listReply<T>(items: T[], total: number, page: Paging, keyset?: KeysetPage): ListReply<T> {
  if (keyset !== undefined) return keysetReply(items, total, keyset)
  return {
    items,
    offset: page.offset,
    max_limit: MAX_PAGE,
    count: items.length,
    total_count: total,
    has_more: page.offset + items.length < total,
  }
}

function keysetReply<T>(items: T[], total: number, { next, counted }: KeysetPage): ListReply<T> {
  const reply: ListReply<T> = { items, offset: 0, max_limit: MAX_PAGE, count: items.length, has_more: next !== null }
  if (counted) reply.total_count = total
  if (next !== null) reply.next_after_id = next.length === 1 ? next[0]! : next.join('-')
  return reply
}
