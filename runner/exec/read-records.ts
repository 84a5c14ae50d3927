import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { LaunchRecord } from './record.ts'

/** About 500 records: one request, and no large text in memory. */
const BATCH_BYTES = 128 * 1024

export type Batch = { records: LaunchRecord[]; endByte: number }

/** Whether a line is worth reading; the others are not even parsed. */
type Wanted = (line: string) => boolean

/** What a record has that is for a workflow. */
export const isForWorkflow: Wanted = line => line.includes('"workflow_id":')

/** Reads whole lines of an outbox from a byte on, up to `untilByte` where that is given; torn ones are passed over. */
export function readRecords(
  path: string,
  fromByte: number,
  untilByte: number | undefined,
  isWanted: Wanted = () => true,
): Batch {
  const file = open(path)
  if (file === undefined) return { records: [], endByte: fromByte }
  try {
    const end = Math.min(untilByte ?? fromByte + BATCH_BYTES, fstatSync(file).size)
    const data = Buffer.alloc(Math.max(0, end - fromByte))
    const text = data.subarray(0, readSync(file, data, 0, data.length, fromByte))
    const whole = text.lastIndexOf(10) + 1
    const lines = text.subarray(0, whole).toString('utf8').split('\n')
    return { records: lines.filter(isWanted).flatMap(parseRecord), endByte: fromByte + whole }
  } finally {
    closeSync(file)
  }
}

function open(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}

function parseRecord(line: string): LaunchRecord[] {
  try {
    const record = JSON.parse(line) as LaunchRecord
    return typeof record === 'object' && record !== null && typeof record.id === 'string' ? [record] : []
  } catch {
    return []
  }
}
