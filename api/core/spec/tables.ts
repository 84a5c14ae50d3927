import { parseCsv } from './csv.ts'
import { toCompactJson } from './data-json.ts'
import type { SpecContext } from './env.ts'
import { readJson } from './json.ts'
import type { Fault } from './schema.ts'
import type { SpecNode, TextNode } from './tree.ts'
import { readNumberOrText, type Value } from './values.ts'

/** A table of combinations: one copy per row. A row of a JSON table may lack a column. */
export interface Table {
  columns: ReadonlyMap<string, readonly (Value | undefined)[]>
  rowCount: number
}

/** Reads the tables of one file, each once, and reports one that cannot be read. */
export type TableReader = (path: TextNode, keyPath: string) => Table | undefined

export function createTableReader({ env, report }: SpecContext): TableReader {
  const known = new Map<string, Table | undefined>()
  return (path, keyPath) => {
    if (known.has(path.value)) return known.get(path.value)
    const table = readTable(path.value, env.readText)
    const fault = 'message' in table ? table : undefined
    if (fault) report.error('bad_table', { at: path.at, path: keyPath }, fault.message, fault.hint)
    known.set(path.value, fault ? undefined : (table as Table))
    return known.get(path.value)
  }
}

type Row = ReadonlyMap<string, Value>

function readTable(path: string, readText: (path: string) => string | undefined): Table | Fault {
  const readRows = ROW_READERS[/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? '']
  if (!readRows)
    return { message: `"${path}" is no kind of table`, hint: 'the extension is .csv, .json, .jsonl or .ndjson' }
  const text = readText(path)
  if (text === undefined)
    return {
      message: `there is no table "${path}"`,
      hint: 'paths are relative to the working directory, then to the workflow file',
    }
  const rows = readRows(text.replace(/^\uFEFF/, ''))
  if ('message' in rows) return rows
  if (rows.length === 0) return { message: `the table "${path}" has no rows` }
  const names = [...new Set(rows.flatMap(row => [...row.keys()]))]
  const bad = names.find(name => name === '' || /[{}:]/.test(name))
  if (bad !== undefined)
    return {
      message: `the table "${path}" has a column called "${bad}"`,
      hint: 'a name is not empty and has no {, } or :',
    }
  return { columns: new Map(names.map(name => [name, rows.map(row => row.get(name))])), rowCount: rows.length }
}

const ROW_READERS: Record<string, (text: string) => Row[] | Fault> = {
  csv: readCsvRows,
  json: readJsonRows,
  jsonl: readJsonLines,
  ndjson: readJsonLines,
}

function readCsvRows(text: string): Row[] | Fault {
  const [header, ...rows] = parseCsv(text) ?? []
  if (!header) return { message: 'the table has no header line, or a quote in it is never closed' }
  const repeated = header.find((name, index) => header.indexOf(name) !== index)
  if (repeated !== undefined) return { message: `the table has two columns called "${repeated}"` }
  const uneven = rows.findIndex(row => row.length !== header.length)
  if (uneven >= 0)
    return { message: `row ${uneven + 1} of the table has ${rows[uneven]!.length} cells, the header ${header.length}` }
  return rows.map(row => new Map(header.map((name, index) => [name, readNumberOrText(row[index]!)])))
}

function readJsonRows(text: string): Row[] | Fault {
  const read = readJson(text, 'json')
  if ('fault' in read) return { message: `the table is no JSON: ${read.fault.message}` }
  if (read.root.kind !== 'list') return { message: 'the table must be a list of objects' }
  return toRows(read.root.items)
}

function readJsonLines(text: string): Row[] | Fault {
  const objects: SpecNode[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const read = readJson(line, 'json')
    if ('fault' in read) return { message: `line ${index + 1} of the table is no JSON: ${read.fault.message}` }
    objects.push(read.root)
  }
  return toRows(objects)
}

function toRows(nodes: readonly SpecNode[]): Row[] | Fault {
  const rows: Row[] = []
  for (const [index, node] of nodes.entries()) {
    if (node.kind !== 'map') return { message: `row ${index + 1} of the table is no object` }
    const row = new Map(node.entries.map(({ key, value }) => [key, cellValue(value)]))
    if (row.size < node.entries.length) return { message: `row ${index + 1} of the table has a key twice` }
    rows.push(row)
  }
  return rows
}

/** Numbers stay numbers and text stays text; everything else becomes its JSON. */
function cellValue(node: SpecNode): Value {
  if (node.kind === 'int') return BigInt(node.value)
  if (node.kind === 'float' || node.kind === 'text') return node.value
  return toCompactJson(node)
}
