/** One cell, quoted (RFC 4180) or bare, and what ends it. */
const CELL = /(?:[ \t]*"((?:[^"]|"")*)"[ \t]*|([^",\r\n]*))(,|\r?\n|$)/y

/** Splits CSV into rows of trimmed cells, blank lines left out; undefined when a quote is never closed or stands inside a cell. */
export function parseCsv(text: string): string[][] | undefined {
  const rows: string[][] = []
  let row: string[] = []
  for (CELL.lastIndex = 0; CELL.lastIndex < text.length; ) {
    const match = CELL.exec(text)
    if (!match) return undefined
    const [, quoted, bare = '', end] = match
    row.push((quoted?.replaceAll('""', '"') ?? bare).trim())
    if (end === ',' && CELL.lastIndex < text.length) continue
    if (end === ',') row.push('')
    if (row.length > 1 || row[0] !== '' || quoted !== undefined) rows.push(row)
    row = []
  }
  return rows
}
