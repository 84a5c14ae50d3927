import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Client } from '../client.ts'
import type { CompletionEntry, ExchangeReply } from '../wire.ts'
import { placesIn } from './directory.ts'
import { readFrozen } from './frozen.ts'
import { readResult } from './result-file.ts'

/** What reading the results of a run directory came to. */
export type Ingestion = {
  results: number
  /** What the control plane has learnt now. */
  accepted: number
  /** What it knew. */
  known: number
  /** What it does not take, by job: the job is somebody else's, or is gone. */
  refused: { job_id: number; message: string }[]
  /** Paths below the run directory. */
  unreadable: string[]
}

/** As many as a runner sends at once. */
const BATCH = 1_000
const RESULT_NAME = 'result.json'

/**
 * Tells the control plane every result that lies in a run directory, each judged by itself: a bad one never stops the others, and one that
 * is known has no second effect. Throws when the control plane does not answer.
 */
export async function ingest(client: Client, workflowId: number, directory: string): Promise<Ingestion> {
  const { unreadable } = readFrozen(directory)
  const completions: CompletionEntry[] = []
  for (const path of resultPaths(placesIn(directory).jobs)) {
    const completion = readResult(path)
    if (completion === undefined) unreadable.push(relative(directory, path))
    else completions.push(completion)
  }
  const ingestion: Ingestion = { results: completions.length, accepted: 0, known: 0, refused: [], unreadable }
  for (let from = 0; from < completions.length; from += BATCH)
    await send(client, workflowId, completions.slice(from, from + BATCH), ingestion)
  return ingestion
}

async function send(
  client: Client,
  workflowId: number,
  completions: readonly CompletionEntry[],
  ingestion: Ingestion,
): Promise<void> {
  const path = `/workflows/${workflowId}/batch_complete_jobs`
  const body = { completions, verdicts: true }
  const reply = await client.request<ExchangeReply>('POST', path, body, { repeatable: true })
  if (!reply.ok) {
    // One that the control plane cannot even read is found by halves, so that the others are not held back by it.
    if (reply.status !== 422) throw new Error(`The results cannot be told: ${reply.message}`)
    if (completions.length === 1) {
      ingestion.refused.push({ job_id: completions[0]!.job_id, message: reply.message })
      return
    }
    const middle = Math.ceil(completions.length / 2)
    await send(client, workflowId, completions.slice(0, middle), ingestion)
    await send(client, workflowId, completions.slice(middle), ingestion)
    return
  }
  for (const { code, job_id } of reply.value.verdicts ?? []) {
    if (code === 'accepted' || code === 'salvaged') ingestion.accepted++
    else if (KNOWN.has(code)) ingestion.known++
    else ingestion.refused.push({ job_id, message: code })
  }
}

/** Said before; or overtaken: the job has ended otherwise, or is in another's hands, or has begun anew. */
const KNOWN: ReadonlySet<string> = new Set(['duplicate', 'already_final', 'lost_claim', 'stale_run'])

function* resultPaths(jobs: string): Generator<string> {
  for (const job of listNames(jobs))
    for (const attempt of listNames(join(jobs, job)))
      if (listNames(join(jobs, job, attempt)).includes(RESULT_NAME)) yield join(jobs, job, attempt, RESULT_NAME)
}

function listNames(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}
