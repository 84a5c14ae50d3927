import { existsSync } from 'node:fs'
import Database from 'libsql'

/**
 * Gives the path our data goes to for a path that somebody named: the same, or a sibling when the file there is a database of another
 * program (a launcher may hand over one of Torc's, contract/notes.md 17.2), whose tables are none of our business.
 */
export function ownDatabasePath(path: string): string {
  return existsSync(path) && isForeign(path) ? `${path}.headrace.db` : path
}

/** Tables of another program's migrations, and none of ours. A file that is no database at all is judged when it is opened. */
function isForeign(path: string): boolean {
  try {
    const connection = new Database(path, { readonly: true } as Database.Options)
    try {
      const tables = connection.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all() as {
        name: string
      }[]
      const names = tables.map(table => table.name)
      return names.includes('_sqlx_migrations') && !names.includes('headrace_migration')
    } finally {
      connection.close()
    }
  } catch {
    return false
  }
}
