import Database from 'libsql'
import { STATUS } from '../../api/core/status.ts'
import { openRemote } from '../../db/open-remote.ts'
import { one } from '../../db/unit.ts'
import { WrongResult } from './types.ts'

export type Counts = {
  completed: number
  others: number
  results: number
  completions: number
  events: number
  fileTimes: number
  edges: number
}

const COUNTS = `SELECT (SELECT count(*) FROM job WHERE status = ${STATUS.completed}) AS completed,
  (SELECT count(*) FROM job WHERE status <> ${STATUS.completed}) AS others,
  (SELECT count(*) FROM result WHERE status = ${STATUS.completed} AND return_code = 0) AS results,
  (SELECT count(*) FROM stream_event WHERE type = 'job_completed') AS completions,
  (SELECT count(*) FROM stream_event) AS events,
  (SELECT count(*) FROM file WHERE st_mtime IS NOT NULL) AS fileTimes,
  (SELECT count(*) FROM job_edge) AS edges`

/** Counts what a database says of all its workflows. No process may have it open for writing any more. */
export function readCounts(dbPath: string): Counts {
  const database = new Database(dbPath)
  try {
    return database.prepare(COUNTS).get() as Counts
  } finally {
    database.close()
  }
}

/** The same of a database server. */
export async function readCountsAt(databaseUrl: string): Promise<Counts> {
  const db = openRemote({ url: databaseUrl })
  try {
    return (await db.read(() => one<Counts>(COUNTS)))!
  } finally {
    await db.close()
  }
}

/** Throws unless every job is completed, each with one result and one event, and the times of all files that they make are known. */
export function expectAllCompleted(dbPath: string, jobs: number, files: number): void {
  const wanted = { completed: jobs, others: 0, results: jobs, completions: jobs, fileTimes: files }
  expectSame('counts in the database', readCounts(dbPath), wanted)
}

/** Throws unless what was found agrees in every key of what is wanted. */
export function expectSame<T extends object>(what: string, found: T, wanted: Partial<T>): void {
  for (const key of Object.keys(wanted) as (keyof T & string)[]) {
    if (found[key] !== wanted[key])
      throw new WrongResult(`${what}: ${key} is ${String(found[key])} and must be ${String(wanted[key])}`)
  }
}
