import { type SqlValue, type Statement, together, type Unit } from './unit.ts'

/** Rows per statement. Fixed sizes keep the number of different statements small; a short tail is padded and filtered out. */
const SIZES = [64, 16, 4, 1]

/** Inserts rows by multi-row VALUES, about three times as fast as one by one. The first column must not be null in a real row. */
export function* insertRows(
  into: string,
  columns: readonly string[],
  rows: readonly (readonly SqlValue[])[],
  conflict = '',
): Unit<void> {
  const statements: Statement[] = []
  for (let at = 0; at < rows.length; ) {
    const left = rows.length - at
    const size = SIZES.find(candidate => candidate <= left * 2) ?? 1
    const args: SqlValue[] = []
    for (let k = 0; k < size; k++) {
      const row = rows[at + k]
      for (let column = 0; column < columns.length; column++) args.push(row === undefined ? null : row[column]!)
    }
    statements.push({ sql: insertText(into, columns, size, conflict), args, blind: true })
    at += size
  }
  if (statements.length > 0) yield* together(statements)
}

const texts = new Map<string, string>()

function insertText(into: string, columns: readonly string[], size: number, conflict: string): string {
  const key = `${size} ${conflict} ${into} ${columns.join()}`
  let text = texts.get(key)
  if (text === undefined) {
    const row = `(${columns.map(() => '?').join(',')})`
    text = `INSERT ${conflict} INTO ${into}(${columns.join(',')}) SELECT * FROM (VALUES ${Array(size).fill(row).join(',')}) WHERE column1 IS NOT NULL`
    texts.set(key, text)
  }
  return text
}
