import { all, one, run, type Unit } from './unit.ts'

export type AuditRow = {
  id: number
  user_name: string
  timestamp: number
  sql_text: string
  is_write: number
  allow_full_table: number
  rows_affected: number | null
  committed: number
  success: number
  error: string | null
}

export type AuditEntry = { user: string; at: number; sql: string; isWrite: boolean; fullTable: boolean; error?: string }

/** Records what an administrator asked of the database; an `error` says that it failed. Nothing is ever committed: there are no writes. */
export function* recordAudit({ user, at, sql, isWrite, fullTable, error }: AuditEntry): Unit<void> {
  yield* run(
    `INSERT INTO admin_audit (user_name, timestamp, sql_text, is_write, allow_full_table, committed, success, error)
     VALUES (?, ?, ?, ?, ?, 0, ?, ?)`,
    user,
    at,
    sql,
    Number(isWrite),
    Number(fullTable),
    Number(error === undefined),
    error ?? null,
  )
}

/** The newest entries first. */
export function* listAudit(offset: number, limit: number): Unit<{ rows: AuditRow[]; total: number }> {
  const counted = yield* one<{ n: number }>('SELECT count(*) AS n FROM admin_audit')
  const rows = yield* all<AuditRow>('SELECT * FROM admin_audit ORDER BY id DESC LIMIT ? OFFSET ?', limit, offset)
  return { rows, total: counted?.n ?? 0 }
}
