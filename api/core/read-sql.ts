/** A piece of SQL in which a semicolon means nothing: text, a quoted name, or a comment. An unclosed one goes to the end. */
const QUOTED = /'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$)/g
const COMMENT = /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g
const PIECES = new RegExp(`${QUOTED.source}|${COMMENT.source}`, 'g')

/**
 * Says why a statement is not a single one that reads; undefined when it is. Looks at its form only: what it does is held by the
 * connection, which cannot write (contract/notes.md 19.12).
 */
export function faultOfReadSql(sql: string): string | undefined {
  const bare = sql.replace(PIECES, piece => (/^(--|\/\*)/.test(piece) ? ' ' : 'x')).trim()
  const body = bare.replace(/;\s*$/, '')
  if (body.includes(';')) return 'it must be one statement'
  if (!/^(select|with|values)\b/i.test(body)) return 'it must begin with SELECT, WITH or VALUES'
  return undefined
}
