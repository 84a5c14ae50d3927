import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type Database from 'libsql'
import type { Measured, Sample } from './meter.ts'
import type { NodeSample } from './node-meter.ts'

/** Moments are whole seconds since 1970. What is not measured of a node is NULL. */
const TABLES = `
  CREATE TABLE IF NOT EXISTS job_resource_samples (
    job_id INTEGER NOT NULL,
    timestamp INTEGER NOT NULL,
    cpu_percent REAL NOT NULL,
    memory_bytes INTEGER NOT NULL,
    num_processes INTEGER NOT NULL
  );
  CREATE INDEX IF NOT EXISTS job_resource_samples_of_job ON job_resource_samples (job_id, timestamp);
  CREATE TABLE IF NOT EXISTS job_metadata (job_id INTEGER PRIMARY KEY, job_name TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS system_resource_samples (
    timestamp INTEGER NOT NULL,
    cpu_percent REAL,
    memory_bytes INTEGER,
    total_memory_bytes INTEGER
  );
  CREATE TABLE IF NOT EXISTS system_resource_summary (
    sample_count INTEGER NOT NULL,
    peak_cpu_percent REAL,
    avg_cpu_percent REAL,
    peak_memory_bytes INTEGER,
    avg_memory_bytes INTEGER
  );
`

/** For a program that reads from the file. The jobs wait as long. */
const PATIENCE_MS = 200
/** Some milliseconds of work. */
const ROWS_AT_ONCE = 2_000

type JobRow = [jobId: number, atSeconds: number, cpuPercent: number, memoryBytes: number, processes: number]
type NodeRow = [atSeconds: number, cpuPercent: number | null, memoryBytes: number | null, totalBytes: number | null]

/** The samples that are kept: gathered in memory, and put into an SQLite file together (spec-format.md 18.1). */
export class MetricsFile {
  readonly #path: string
  readonly #jobs: JobRow[] = []
  readonly #nodes: NodeRow[] = []
  readonly #names = new Map<number, string>()

  constructor(path: string) {
    this.#path = path
  }

  addJob(job: { id: number; name: string }, atMs: number, { cpuPercent, memoryBytes, processes }: Sample): void {
    this.#names.set(job.id, job.name)
    this.#jobs.push([job.id, secondsOf(atMs), cpuPercent, memoryBytes, processes])
  }

  addNode(atMs: number, wanted: { cpu: boolean; memory: boolean }, sample: NodeSample): void {
    const { cpuPercent, memoryBytes, totalMemoryBytes } = sample
    const memory = wanted.memory ? ([memoryBytes, totalMemoryBytes] as const) : ([null, null] as const)
    this.#nodes.push([secondsOf(atMs), wanted.cpu ? cpuPercent : null, ...memory])
  }

  /**
   * Writes what was gathered, and how the node did so far: some thousand rows at a time, between which the jobs have their turn. The file is open
   * for this while alone, since others read from it. Rejects when it cannot be written; what is not written stays.
   */
  async flush(node?: { count: number; measured: Measured }): Promise<void> {
    if (this.#jobs.length + this.#nodes.length === 0 && node === undefined) return
    const { default: open } = await import('libsql')
    mkdirSync(dirname(this.#path), { recursive: true })
    const database = new open(this.#path, { timeout: PATIENCE_MS })
    try {
      database.exec(TABLES)
      // The names first: they are of the samples that follow.
      const names = [...this.#names]
      await writeRows(database, JOB_METADATA, [...names])
      for (const [id] of names) this.#names.delete(id)
      await writeRows(database, JOB_SAMPLES, this.#jobs)
      await writeRows(database, NODE_SAMPLES, this.#nodes)
      if (node !== undefined) writeSummary(database, node)
    } finally {
      database.close()
    }
  }
}

/** Each takes its rows as one JSON text. */
const JOB_METADATA = 'INSERT OR REPLACE INTO job_metadata SELECT value ->> 0, value ->> 1 FROM json_each(?)'
const JOB_SAMPLES = `INSERT INTO job_resource_samples
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)`
const NODE_SAMPLES = `INSERT INTO system_resource_samples
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?)`

/** Takes out of `rows` what it has written. */
async function writeRows(database: Database.Database, sql: string, rows: unknown[]): Promise<void> {
  const insert = database.prepare(sql)
  while (rows.length > 0) {
    const some = rows.slice(0, ROWS_AT_ONCE)
    insert.run(JSON.stringify(some))
    rows.splice(0, some.length)
    await nextTurn()
  }
}

function writeSummary(database: Database.Database, { count, measured }: { count: number; measured: Measured }): void {
  const { peakCpuPercent, avgCpuPercent, peakMemoryBytes, avgMemoryBytes } = measured
  const figures = [count, peakCpuPercent, avgCpuPercent, peakMemoryBytes, avgMemoryBytes].map(value => value ?? null)
  const write = database.prepare('INSERT INTO system_resource_summary VALUES (?, ?, ?, ?, ?)')
  database.transaction(() => {
    database.exec('DELETE FROM system_resource_summary')
    write.run(...figures)
  })()
}

const secondsOf = (ms: number): number => Math.floor(ms / 1000)
