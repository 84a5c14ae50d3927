import { crc32 } from 'node:zlib'
import type { CompletionEntry } from '../wire.ts'

/**
 * The lines of an outbox file. Each ends with the checksum of what stands before it, so that a line that a crash tore, or that somebody
 * else wrote, shows.
 *
 *   H {"version":1,...}        whose file this is; always the first line
 *   E 17 {"job_id":...}        a completion and its number
 *   A 12-17 1790000000000 abc  these were answered, at this moment, by the database of this epoch
 */
export type OutboxRecord =
  | { type: 'header'; header: OutboxHeader }
  | { type: 'entry'; seq: number; entry: CompletionEntry }
  | { type: 'answer'; answer: Answer }

export type OutboxHeader = {
  version: 1
  host: string
  pid: number
  workflow_id: number
  compute_node_id: number
  epoch?: string
}

/** Stands for the epoch of an answer where an entry was moved to the next file. */
export const MOVED = 'moved'

export type Answer = { first: number; last: number; atMs: number; epoch: string }

export function formatOutboxRecord(record: OutboxRecord): string {
  switch (record.type) {
    case 'header':
      return withSum(`H ${JSON.stringify(record.header)}`)
    case 'entry':
      return withSum(`E ${record.seq} ${JSON.stringify(record.entry)}`)
    case 'answer': {
      const { first, last, atMs, epoch } = record.answer
      return withSum(`A ${first}-${last} ${atMs} ${epoch}`)
    }
  }
}

/** undefined when the line is torn, or none of ours. */
export function parseOutboxRecord(line: string): OutboxRecord | undefined {
  const end = line.lastIndexOf(' #')
  const text = line.slice(0, end)
  if (end < 0 || line.slice(end) !== sumOf(text)) return undefined
  switch (text[0]) {
    case 'H':
      return parseHeader(text.slice(2))
    case 'E': {
      const [, seq = '', json = ''] = /^E (\d+) (.*)$/.exec(text) ?? []
      const entry = parseJson(json)
      return isEntry(entry) ? { type: 'entry', seq: Number(seq), entry } : undefined
    }
    case 'A': {
      const [, first, last, atMs, epoch] = /^A (\d+)-(\d+) (\d+) (\S*)$/.exec(text) ?? []
      if (epoch === undefined) return undefined
      return { type: 'answer', answer: { first: Number(first), last: Number(last), atMs: Number(atMs), epoch } }
    }
    default:
      return undefined
  }
}

const withSum = (text: string): string => `${text}${sumOf(text)}\n`
const sumOf = (text: string): string => ` #${crc32(text).toString(16)}`

function parseHeader(json: string): OutboxRecord | undefined {
  const header = parseJson(json) as Partial<OutboxHeader> | undefined
  return header?.version === 1 ? { type: 'header', header: header as OutboxHeader } : undefined
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** The checksum says that we wrote it; the look keeps a file of some later version from being sent as it is. */
const isEntry = (value: unknown): value is CompletionEntry =>
  typeof value === 'object' && value !== null && 'job_id' in value && 'result' in value

/** Numbers as runs without a gap. */
export function rangesOf(seqs: readonly number[]): [first: number, last: number][] {
  const ranges: [number, number][] = []
  for (const seq of [...seqs].sort((a, b) => a - b)) {
    const range = ranges.at(-1)
    if (range !== undefined && seq === range[1] + 1) range[1] = seq
    else ranges.push([seq, seq])
  }
  return ranges
}
