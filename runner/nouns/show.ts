import type { Format } from '../command-line/options.ts'
import { print, printJson, printJsonList, screenWidth } from '../command-line/output.ts'
import { type Column, renderTable } from '../screen/table.ts'
import type { Noun, Row } from './noun.ts'

/** Prints a list: a table for people, one document for programs. */
export function showRows(noun: Pick<Noun, 'columns' | 'many'>, rows: readonly Row[], format: Format): void {
  if (format === 'json') printJsonList(rows)
  else print(rows.length === 0 ? `No ${noun.many}.` : renderTable(columnsFor(noun.columns, rows), rows, screenWidth()))
}

/** Prints one object: a line for each of its fields, or a document. */
export function showRow(row: Row, format: Format): void {
  if (format === 'json') printJson(row)
  else print(renderTable(FIELD_COLUMNS, Object.entries(row), screenWidth()))
}

const FIELD_COLUMNS: readonly Column<[string, unknown]>[] = [
  { title: 'FIELD', value: ([name]) => name },
  { title: 'VALUE', value: ([, value]) => shownValue(value) },
]

function columnsFor(columns: Noun['columns'], rows: readonly Row[]): Column<Row>[] {
  return columns.map(column => {
    if (typeof column !== 'string') return column
    const isNumber = rows.some(row => typeof row[column] === 'number')
    return {
      title: column.replaceAll('_', ' ').toUpperCase(),
      value: row => shownValue(row[column]),
      align: isNumber ? 'right' : undefined,
    }
  })
}

/** A value of the wire in a cell. What is not there is empty. */
export function shownValue(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value) && value.every(item => typeof item !== 'object')) return value.join(',')
  // Figures are for reading here; the document has all digits.
  if (typeof value === 'number') return String(Math.round(value * 100) / 100)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
