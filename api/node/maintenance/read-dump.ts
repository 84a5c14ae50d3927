import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import Database from 'libsql'
import { codeOf, StartError } from '../start-error.ts'

/** How every database file of SQLite begins (SQLite, Database File Format, 1.3.1). */
const FILE_HEAD = 'SQLite format 3\0'

export function isDatabaseFile(path: string): boolean {
  const file = openSync(path, 'r')
  try {
    const head = Buffer.alloc(FILE_HEAD.length)
    return readSync(file, head) === head.length && head.toString('latin1') === FILE_HEAD
  } finally {
    closeSync(file)
  }
}

/** Fills an empty database file with the SQL text of a dump. Throws StartError when the text is no SQL, or ends in the middle. */
export async function readDump(path: string, into: string): Promise<void> {
  const connection = new Database(into)
  let statements = 0
  try {
    for await (const sql of splitStatements(createReadStream(path, 'utf8'))) {
      connection.exec(sql)
      statements++
    }
    if (connection.inTransaction || statements === 0)
      throw new StartError(`Cannot restore ${path} as it ends in the middle`)
  } catch (error) {
    if (!codeOf(error).startsWith('SQLITE_ERROR')) throw error
    throw new StartError(
      `Cannot restore ${path} as its statement ${statements + 1} is none: ${(error as Error).message}. Is it a backup of Headrace?`,
    )
  } finally {
    connection.close()
  }
}

/** Where a statement, a text in quotes or a remark may begin or end. */
const MARK = /['";\n]|--|\/\*|\*\//g
/** What ends that which a mark begins. */
const ENDS: Readonly<Record<string, string>> = { "'": "'", '"': '"', '--': '\n', '/*': '*/' }
/** The first half of a mark, at the end of a piece. */
const HALF_MARK = /[-/*]+$/
const TRIGGER = /^\s*CREATE\s+(TEMP\w*\s+)?TRIGGER\b/i
/** How a trigger ends: statements within it end as others do (SQLite, sqlite3_complete). */
const TRIGGER_END = /;\s*END\s*;$/i

/** Gives the statements of a text that comes in pieces, each with its semicolon; what stands behind the last one is given too. */
export async function* splitStatements(text: AsyncIterable<string>): AsyncGenerator<string> {
  let statement = ''
  let held = ''
  let end: string | undefined
  for await (const next of text) {
    const whole = held + next
    held = HALF_MARK.exec(whole)?.[0] ?? ''
    const piece = whole.slice(0, whole.length - held.length)
    let from = 0
    for (const { 0: mark, index } of piece.matchAll(MARK)) {
      if (end !== undefined) {
        // Two quotes in a row stand for one: the text ends and begins again.
        if (mark === end) end = undefined
      } else if (mark !== ';') end = ENDS[mark]
      else {
        statement += piece.slice(from, index + 1)
        from = index + 1
        if (TRIGGER.test(statement) && !TRIGGER_END.test(statement)) continue
        yield statement
        statement = ''
      }
    }
    statement += piece.slice(from)
  }
  if ((statement + held).trim() !== '') yield statement + held
}
