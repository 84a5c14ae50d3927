import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import type { AdminSql, SqlAnswer } from '../access.ts'
import { AppError } from '../errors.ts'

/** A statement that runs longer is ended (contract/notes.md 19.12). */
const LONGEST_MS = 5_000
/** Most bytes of an answer; what is larger is a copy of the database, not a look into it. */
const MOST_BYTES = 32 * 2 ** 20

/**
 * What the process runs: a text, so that it is at hand in a bundle too. Its connection cannot write. Columns of one name are numbered,
 * bytes shown in hex, integers that JSON cannot carry as text.
 */
const PROGRAM = `
const { libsql, path, sql, limit, mostBytes } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
const shown = value =>
  typeof value === 'bigint'
    ? Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
    : Buffer.isBuffer(value) ? value.toString('hex') : value
function read() {
  const connection = new (require(libsql))(path, { timeout: 1000 })
  connection.exec('PRAGMA query_only=ON')
  const statement = connection.prepare(sql)
  const names = []
  for (const { name } of statement.columns()) {
    let free = name
    for (let k = 2; names.includes(free); k++) free = name + '_' + k
    names.push(free)
  }
  const items = []
  let bytes = 0
  for (const row of statement.safeIntegers(true).raw(true).iterate()) {
    const item = Object.fromEntries(names.map((name, k) => [name, shown(row[k])]))
    bytes += JSON.stringify(item).length
    if (bytes > mostBytes) return { failure: 'its result is too large: ask for less' }
    items.push(item)
    if (items.length === limit) break
  }
  return { columns: items.length === 0 ? [] : names, items }
}
let answer
try {
  answer = read()
} catch (error) {
  answer = { failure: error.message }
}
process.stdout.write(JSON.stringify(answer))
`

/**
 * Lets administrators read a database file. Each statement has a process of its own, since nothing else can end one that SQLite is in
 * the middle of; the server's own connection and thread have no part in it. One at a time, else `unavailable` (503).
 */
export function createAdminSql(path: string): AdminSql {
  let running = false
  return async (sql, limit) => {
    if (running) throw new AppError('unavailable', 'Cannot run the statement as another one runs: try again')
    running = true
    try {
      return await runApart({ path, sql, limit })
    } finally {
      running = false
    }
  }
}

function runApart(question: { path: string; sql: string; limit: number }): Promise<SqlAnswer> {
  const libsql = createRequire(import.meta.url).resolve('libsql')
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['-e', PROGRAM], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] })
    let tooLong = false
    const timer = setTimeout(() => {
      tooLong = true
      child.kill('SIGKILL')
    }, LONGEST_MS)
    const chunks: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', reject)
    child.on('close', () => {
      clearTimeout(timer)
      const text = Buffer.concat(chunks).toString('utf8')
      if (tooLong) resolve({ failure: `it took longer than ${LONGEST_MS / 1000} s` })
      else resolve(text === '' ? { failure: 'it needed more memory than there is' } : JSON.parse(text))
    })
    // One that ended at once does not read its question: what it said, or did not, is the answer.
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify({ libsql, mostBytes: MOST_BYTES, ...question }))
  })
}
