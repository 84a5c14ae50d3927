import * as v from 'valibot'
import { bool, integer, optional, text } from './fields.ts'

export const AdminSqlRequest = v.object({
  sql: text,
  write: optional(bool),
  allow_full_table: optional(bool),
  dry_run: optional(bool),
  limit: optional(integer),
})

/** The query of the counts of requests. */
export const API_STATS_QUERY = { window_seconds: 'integer', interval_seconds: 'integer' } as const
