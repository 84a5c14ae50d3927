import { check, parseJson } from '../body.ts'
import { isKind, KINDS, RECORDS, type RecordKind, type RecordOf } from '../contract/export.ts'
import { isJsonObject } from '../contract/fields.ts'
import { AppError } from '../errors.ts'

/** Records stored in one transaction. */
const BATCH = 1_000

/** Records of one kind that followed each other, and the line of the first. */
export type Gathered = { [K in RecordKind]: { kind: K; line: number; records: RecordOf<K>[] } }[RecordKind]

/** An export while it is read: its head, and what follows. */
export type Document = { workflow: RecordOf<'workflow'>; batches: AsyncIterable<Gathered> }

/** Reads the head of an exported document. Whatever is wrong ends with a 4xx that names the line. */
export async function readDocument(lines: AsyncIterable<string>): Promise<Document> {
  const batches = gather(lines)
  const first = (await batches.next()).value
  if (first?.kind !== 'export') throw fault(1, 'as it does not begin with a line of kind "export"')
  const second = (await batches.next()).value
  if (second?.kind !== 'workflow' || second.records.length !== 1)
    throw fault(2, 'as its second line must be the one of kind "workflow"')
  return { workflow: second.records[0]!, batches }
}

/** Ends with 422 unless the last record is the one that says that the document is whole. */
export function checkEnd(last: Gathered | undefined, jobs: number): void {
  if (last?.kind !== 'end') throw fault(last?.line ?? 2, 'as it was cut off: its last line must be of kind "end"')
  const told = last.records.at(-1)!.jobs
  if (told !== jobs) throw fault(last.line, `as it has ${jobs} jobs where its end says ${told}`)
}

async function* gather(lines: AsyncIterable<string>): AsyncGenerator<Gathered, undefined> {
  let gathered: { kind: RecordKind; line: number; records: unknown[] } | undefined
  let number = 0
  for await (const text of lines) {
    number++
    const { kind, record } = readRecord(text, number)
    if (gathered !== undefined && KINDS.indexOf(kind) < KINDS.indexOf(gathered.kind))
      throw fault(number, `as a line of kind "${kind}" must stand before those of kind "${gathered.kind}"`)
    if (gathered?.kind !== kind || gathered.records.length === BATCH) {
      if (gathered !== undefined) yield gathered as Gathered
      gathered = { kind, line: number, records: [] }
    }
    gathered.records.push(record)
  }
  if (gathered !== undefined) yield gathered as Gathered
  return undefined
}

function readRecord(text: string, line: number): { kind: RecordKind; record: unknown } {
  try {
    const found = parseJson(text)
    if (!isJsonObject(found) || !isKind(found.kind))
      throw new AppError('invalid', 'as kind is unknown', { field: 'kind' })
    // Lines name the workflow that they came from; schemas of bodies want one.
    return { kind: found.kind, record: check(RECORDS[found.kind], { workflow_id: 0, ...found }) }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new AppError(error.code, `Cannot import line ${line}: ${error.message}`, { ...error.extra, line })
  }
}

/** 422 for what a line says. */
export const fault = (line: number, why: string): AppError =>
  new AppError('invalid', `Cannot import the document ${why}`, { line })
