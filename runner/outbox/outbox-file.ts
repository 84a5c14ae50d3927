import { appendFileSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CompletionEntry } from '../wire.ts'
import { type Answer, formatOutboxRecord, MOVED, type OutboxHeader, parseOutboxRecord, rangesOf } from './records.ts'

export const OUTBOX_SUFFIX = '.outbox'
/** Answered completions are kept this long, in case the database that answered is not the one that lives on (design.md, Defaults). */
export const KEPT_AFTER_ANSWER_MS = 600_000

/** What one file holds. */
export type OutboxFile = {
  path: string
  header: OutboxHeader
  entries: { seq: number; entry: CompletionEntry }[]
  answers: Answer[]
  /** Lines that are torn or not ours. */
  torn: number
}

/** Reads a file; undefined when it is none of ours, or cannot be read. */
export function readOutboxFile(path: string): OutboxFile | undefined {
  const [first, ...lines] = readLines(path)
  const head = first === undefined ? undefined : parseOutboxRecord(first)
  if (head?.type !== 'header') return undefined
  const file: OutboxFile = { path, header: head.header, entries: [], answers: [], torn: 0 }
  for (const line of lines) {
    const record = parseOutboxRecord(line)
    if (record?.type === 'entry') file.entries.push({ seq: record.seq, entry: record.entry })
    else if (record?.type === 'answer') file.answers.push(record.answer)
    else file.torn++
  }
  return file
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean)
  } catch {
    return []
  }
}

/** The completions that the database of this epoch has not answered: none of those it has, be it another one's answer or none at all. */
export function unanswered({ entries, answers }: OutboxFile, epoch: string | undefined): OutboxFile['entries'] {
  const answered = new Set<number>()
  for (const answer of answers) {
    if (epoch !== undefined && answer.epoch !== epoch && answer.epoch !== MOVED) continue
    for (let seq = answer.first; seq <= answer.last; seq++) answered.add(seq)
  }
  return entries.filter(({ seq }) => !answered.has(seq))
}

/** Notes that completions were answered. */
export function appendAnswers(path: string, seqs: readonly number[], answer: Pick<Answer, 'atMs' | 'epoch'>): void {
  // The line break before it keeps it apart from a line that a crash tore.
  const lines = rangesOf(seqs).map(([first, last]) =>
    formatOutboxRecord({ type: 'answer', answer: { first, last, ...answer } }),
  )
  appendFileSync(path, `\n${lines.join('')}`)
}

/** Removes a file of which everything was answered long ago. */
export function removeIfOver(file: OutboxFile, now: number): void {
  const lastMs = file.answers.reduce((last, { atMs }) => Math.max(last, atMs), 0)
  if (unanswered(file, undefined).length > 0 || now - lastMs < KEPT_AFTER_ANSWER_MS) return
  rmSync(file.path, { force: true })
}

/** The outbox files of a directory, the oldest first; none when it is not there. */
export function listOutboxFiles(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter(name => name.endsWith(OUTBOX_SUFFIX))
    return names.sort().map(name => join(directory, name))
  } catch {
    return []
  }
}
