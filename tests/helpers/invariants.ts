import { listProblems } from '../../db/check.ts'
import type { Db } from '../../db/unit.ts'

/** Fails with the rows that show it when the database is in a state that must never be (design.md, Invariants). */
export async function assertInvariants(db: Db, when = ''): Promise<void> {
  const problems = await db.read(listProblems)
  if (problems.length === 0) return
  const lines = problems.map(({ what, rows }) => `${what}: ${rows.join(' ')}`)
  throw new Error(`The database is wrong${when && ` ${when}`}:\n${lines.join('\n')}`)
}
