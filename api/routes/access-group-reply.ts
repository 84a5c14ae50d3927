import type { GroupPage, GroupRow, LinkRow, MemberRow } from '../../db/access-groups.ts'
import type { AppRequest } from '../context.ts'
import { type Paging, pageOf, readQuery } from '../query.ts'
import { compact } from './reply.ts'

/** `YYYY-MM-DD HH:MM:SS` in UTC, the form of all three (contract/notes.md 3). */
const createdAt = ({ created_at }: { created_at: number }): string =>
  new Date(created_at).toISOString().slice(0, 19).replace('T', ' ')

/** That a group is the system's is nobody's business (6.3). */
export const groupReply = ({ id, name, description, ...row }: GroupRow) =>
  compact({ id, name, description, created_at: createdAt(row) })

export const memberReply = (row: MemberRow) => ({ ...row, created_at: createdAt(row) })

export const linkReply = (row: LinkRow) => ({ ...row, created_at: createdAt(row) })

export const groupPaging = (c: AppRequest): Paging => pageOf(readQuery(c, { offset: 'integer', limit: 'integer' }))

/** Lists about groups have a form of their own: `limit`, and neither `count` nor `max_limit` (contract/notes.md 2.1). */
export function groupListReply<Row>({ rows, total }: GroupPage<Row>, page: Paging, reply: (row: Row) => object) {
  return {
    items: rows.map(row => reply(row)),
    offset: page.offset,
    limit: page.limit,
    total_count: total,
    has_more: page.offset + rows.length < total,
  }
}
