import { listStreamEvents, type StreamEventRow } from '../db/stream-events.ts'
import type { Db } from '../db/unit.ts'
import { isKnownType, SEVERITIES, severityOf } from './contract/stream.ts'

/** What a client wants to hear of. */
export type Wanted = { level: number; allTypes: boolean }

/** The frames after a number: their bytes if there are any, number and time of the last event read, and whether more follow. */
export type Frames = {
  bytes: Uint8Array<ArrayBuffer> | undefined
  last: number
  lastAt: number | undefined
  more: boolean
}

/** Events read at once: a stream that resumes far back goes on in steps. */
const STEP = 500
/** Texts kept for streams that ask for the same. Those beside each other ask within a moment; a straggler reads for itself. */
const KEPT = 64

/** Reads events as frames. Streams that are equally far share them: read once, written once as bytes. */
export function createFrameReader(db: Db): (workflowId: number, after: number, wanted: Wanted) => Promise<Frames> {
  const kept = new Map<string, Frames>()
  const encoder = new TextEncoder()

  return async (workflowId, after, wanted) => {
    const key = `${workflowId} ${after} ${wanted.level} ${wanted.allTypes}`
    const known = kept.get(key)
    if (known !== undefined) return known
    const rows = await db.read(() => listStreamEvents(workflowId, after, STEP))
    const text = rows.map(row => frameOf(workflowId, row, wanted)).join('')
    const newest = rows.at(-1)
    const frames = {
      bytes: text === '' ? undefined : encoder.encode(text),
      last: newest?.seq ?? after,
      lastAt: newest?.at,
      more: rows.length === STEP,
    }
    // Events never change: whoever asks for these later gets what there was, and goes on from there.
    if (rows.length > 0) keep(key, frames)
    return frames
  }

  function keep(key: string, frames: Frames): void {
    kept.set(key, frames)
    if (kept.size > KEPT) kept.delete(kept.keys().next().value!)
  }
}

/**
 * One frame, or nothing when the client does not want the event. Blanks after the colons and all five fields are required
 * (contract/notes.md 14.2). Stored data is JSON already and is not read again: a busy workflow has thousands of events a second.
 */
function frameOf(workflowId: number, row: StreamEventRow, { level, allTypes }: Wanted): string {
  const { type, seq, at, dataJson } = row
  if (!allTypes && !isKnownType(type)) return ''
  const severity = severityOf(type, dataJson)
  if (SEVERITIES.indexOf(severity) < level) return ''
  const name = JSON.stringify(type)
  return `event: ${type}\ndata: {"workflow_id":${workflowId},"timestamp":${at},"event_type":${name},"severity":"${severity}","data":${withJob(row)}}\nid: ${seq}\n\n`
}

/** Puts the job before what is stored of the event, which wins where it says the same. */
function withJob({ job, dataJson }: StreamEventRow): string {
  if (job === undefined) return dataJson
  const start = `{"job_id":${job.id},"job_name":${job.nameJson}`
  return dataJson === '{}' ? `${start}}` : `${start},${dataJson.slice(1)}`
}
