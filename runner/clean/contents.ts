import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** A log file that a runner of ours has written; its name says of which attempt. */
export type LogEntry = {
  path: string
  bytes: number
  modifiedMs: number
  workflowId: number
  jobId: number
  runId: number
  attemptId: number
}

export type Part = { kind: string; files: number; bytes: number; oldestMs: number; newestMs: number }

const LOG_NAME = /^job_wf(\d+)_j(\d+)_r(\d+)_a(\d+)\.(?:o|e|log)$/

/** The log files of an output directory. Anything else that lies between them is not ours and is left out. */
export function listLogs(outputDir: string): LogEntry[] {
  const directory = join(outputDir, 'job_stdio')
  return entriesOf(directory).flatMap(entry => {
    const match = entry.isFile() ? LOG_NAME.exec(entry.name) : null
    if (match === null) return []
    const path = join(directory, entry.name)
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) return []
    const [workflowId, jobId, runId, attemptId] = match.slice(1).map(Number) as [number, number, number, number]
    return [{ path, bytes: found.size, modifiedMs: found.mtimeMs, workflowId, jobId, runId, attemptId }]
  })
}

/** What an output directory holds, by kind: the logs of each run, and each other file or directory at its top. */
export function partsOf(outputDir: string, logs: readonly LogEntry[]): Part[] {
  const parts = new Map<string, Part>()
  for (const { workflowId, runId, bytes, modifiedMs } of logs)
    add(parts, `logs of workflow ${workflowId}, run ${runId}`, bytes, modifiedMs)
  const ours = new Set(logs.map(log => log.path))
  for (const entry of entriesOf(outputDir)) {
    for (const file of filesBelow(join(outputDir, entry.name), entry)) {
      if (!ours.has(file.path)) add(parts, kindOf(entry.name), file.bytes, file.modifiedMs)
    }
  }
  return [...parts.values()].sort((a, b) => b.bytes - a.bytes)
}

/** The database keeps side files of the same name. */
const kindOf = (name: string): string => (/^headrace\.db/.test(name) ? 'database' : name)

function add(parts: Map<string, Part>, kind: string, bytes: number, modifiedMs: number): void {
  const part = parts.get(kind)
  if (part === undefined) {
    parts.set(kind, { kind, files: 1, bytes, oldestMs: modifiedMs, newestMs: modifiedMs })
    return
  }
  part.files++
  part.bytes += bytes
  part.oldestMs = Math.min(part.oldestMs, modifiedMs)
  part.newestMs = Math.max(part.newestMs, modifiedMs)
}

function* filesBelow(path: string, entry: Dirent): Generator<{ path: string; bytes: number; modifiedMs: number }> {
  if (entry.isDirectory()) {
    for (const below of entriesOf(path)) yield* filesBelow(join(path, below.name), below)
    return
  }
  const found = entry.isFile() ? statSync(path, { throwIfNoEntry: false }) : undefined
  if (found !== undefined) yield { path, bytes: found.size, modifiedMs: found.mtimeMs }
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
}
