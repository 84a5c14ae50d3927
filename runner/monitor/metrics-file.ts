import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
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

type JobRow = [jobId: number, atSeconds: number, cpuPercent: number, memoryBytes: number, processes: number]
type NodeRow = [atSeconds: number, cpuPercent: number | null, memoryBytes: number | null, totalBytes: number | null]

/** The samples that are kept: gathered in memory, and put into an SQLite file together (spec-format.md 18.1). */
export class MetricsFile {
  readonly #path: string
  #jobs: JobRow[] = []
  #nodes: NodeRow[] = []
  #names = new Map<number, string>()

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
   * Writes what was gathered, and how the node did so far. The file is opened for this moment alone, since it lies on a file system that
   * others read from. Rejects when it cannot be written; the samples stay.
   */
  async flush(node?: { count: number; measured: Measured }): Promise<void> {
    if (this.#jobs.length + this.#nodes.length === 0 && node === undefined) return
    const { default: open } = await import('libsql')
    mkdirSync(dirname(this.#path), { recursive: true })
    const database = new open(this.#path, { timeout: PATIENCE_MS })
    try {
      database.exec(TABLES)
      database.transaction(() => this.#write(database, node))()
    } finally {
      database.close()
    }
    this.#jobs = []
    this.#nodes = []
    this.#names.clear()
  }

  #write(database: Database.Database, node: { count: number; measured: Measured } | undefined): void {
    const job = database.prepare('INSERT INTO job_resource_samples VALUES (?, ?, ?, ?, ?)')
    for (const row of this.#jobs) job.run(...row)
    const name = database.prepare('INSERT OR REPLACE INTO job_metadata VALUES (?, ?)')
    for (const row of this.#names) name.run(...row)
    const sample = database.prepare('INSERT INTO system_resource_samples VALUES (?, ?, ?, ?)')
    for (const row of this.#nodes) sample.run(...row)
    if (node === undefined) return
    const { peakCpuPercent, avgCpuPercent, peakMemoryBytes, avgMemoryBytes } = node.measured
    const summary = [node.count, peakCpuPercent, avgCpuPercent, peakMemoryBytes, avgMemoryBytes]
    database.exec('DELETE FROM system_resource_summary')
    database
      .prepare('INSERT INTO system_resource_summary VALUES (?, ?, ?, ?, ?)')
      .run(...summary.map(value => value ?? null))
  }
}

const secondsOf = (ms: number): number => Math.floor(ms / 1000)
