import { all, one, run, type Unit } from './unit.ts'

/** A call that changed something about the server: who did it, with which token, and what. */
export type AdminCallRow = {
  id: number
  timestamp: number
  user_name: string
  token_id: number | null
  operation: string
  detail: string | null
}

export function* recordAdminCall(call: Omit<AdminCallRow, 'id'>): Unit<void> {
  yield* run(
    'INSERT INTO admin_call (timestamp, user_name, token_id, operation, detail) VALUES (?, ?, ?, ?, ?)',
    call.timestamp,
    call.user_name,
    call.token_id,
    call.operation,
    call.detail,
  )
}

/** The newest first. */
export function* listAdminCalls(offset: number, limit: number): Unit<{ rows: AdminCallRow[]; total: number }> {
  const counted = yield* one<{ n: number }>('SELECT count(*) AS n FROM admin_call')
  const rows = yield* all<AdminCallRow>('SELECT * FROM admin_call ORDER BY id DESC LIMIT ? OFFSET ?', limit, offset)
  return { rows, total: counted?.n ?? 0 }
}
