import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { completionOf } from '../helpers/completion.ts'
import type { Started } from '../helpers/workflow.ts'
import { api, target, waitUntil } from './client.ts'
import { jobsNamed, start, statusesOf } from './workflow.ts'

const CLIENTS = 16
const JOBS = 2_000
/** Jobs of one claim. */
const BATCH = 5
/** How often a client goes away in the middle of a request, and how soon. */
const IMPATIENT = 0.3
const IMPATIENT_MS = 40
/** Less than a runner waits for an answer, whatever the database does. */
const PATIENCE_MS = 25_000
const FROZEN_MS = 4_000

/** Less than sqld lets a transaction last that somebody has left. */
const LOCK_MS = 4_000
const GOING_AWAY = 100

const addresses = [target.url, target.twinUrl ?? target.url]
const { databasePid } = target
afterEach(() => thaw())

/** A database server that takes no part, and closes no connection. A file has none: there callers alone spoil things. */
const freeze = () => databasePid !== undefined && process.kill(databasePid, 'SIGSTOP')
const thaw = () => databasePid !== undefined && process.kill(databasePid, 'SIGCONT')

type Exchanged = {
  claimed?: { id: number; claim_token: string }[]
  verdicts: { job_id: number; code: string }[]
}

function send(url: string, path: string, body: object, timeoutMs: number): Promise<Response> {
  return fetch(`${url}/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  })
}

const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError'

/** Sends an exchange until it is answered. Some tries are broken off by the client, which then does not know what came of them. */
async function exchange({ workflowId }: Started, client: number, body: object): Promise<Exchanged> {
  for (let attempt = 0; ; attempt++) {
    const isImpatient = Math.random() < IMPATIENT
    const timeoutMs = isImpatient ? Math.ceil(Math.random() * IMPATIENT_MS) : PATIENCE_MS
    try {
      const url = addresses[(client + attempt) % addresses.length]!
      const response = await send(url, `/workflows/${workflowId}/batch_complete_jobs`, body, timeoutMs)
      if (response.status === 200) return (await response.json()) as Exchanged
      expect(response.status, await response.text()).toBe(503)
      await sleep(200)
    } catch (error) {
      if (!isImpatient || !isTimeout(error)) throw error
    }
  }
}

/** Claims and completes until nothing is left; adds the verdicts on its completions. */
async function workOff(started: Started, client: number, verdicts: string[]): Promise<void> {
  const offer = { num_cpus: 256, memory_gb: 64, num_gpus: 0 }
  let completions: object[] = []
  do {
    const claim = {
      claim_id: randomUUID(),
      lease_seconds: 60,
      limit: BATCH,
      compute_node_id: started.nodeId,
      num_nodes: 1,
      start: true,
      ...offer,
    }
    const reply = await exchange(started, client, { completions, verdicts: true, claim })
    verdicts.push(...reply.verdicts.map(({ code }) => code))
    completions = (reply.claimed ?? []).map(job => completionOf(started, job.id, { claim_token: job.claim_token }))
  } while (completions.length > 0)
}

it('silence: callers that go away and a database that is frozen for seconds lose nothing, double nothing, and hold nobody up afterwards', async () => {
  const started = await start(api, jobsNamed(...Array.from({ length: JOBS }, (_, k) => `j${k}`)))
  const verdicts: string[] = []
  const working = Promise.all(Array.from({ length: CLIENTS }, (_, client) => workOff(started, client, verdicts)))
  await waitUntil(
    async () => verdicts.length,
    count => count > JOBS / 8,
  )
  freeze()
  await sleep(FROZEN_MS)
  thaw()
  await working
  expect(verdicts).toHaveLength(JOBS)
  expect(verdicts.filter(code => code !== 'accepted' && code !== 'duplicate')).toEqual([])
  expect(new Set(await statusesOf(api, started))).toEqual(new Set(['completed']))
  const results = await api.get(`/results?workflow_id=${started.workflowId}&all_runs=true&limit=1`)
  expect(results.body.total_count).toBe(JOBS)
}, 120_000)

it('silence: a caller that goes away in the middle of a write leaves nothing locked', async () => {
  const chain = Array.from({ length: 300 }, (_, k) => ({
    name: `link_${k}`,
    command: 'true',
    depends_on: k === 0 ? [] : [`link_${k - 1}`],
  }))
  const [first, second] = addresses
  for (let k = 0; k < GOING_AWAY; k++) {
    // From before the first of its transactions to after the last.
    const leavesAfterMs = 3 + (k % 50)
    await send(first!, '/workflows/from_spec?file_name=s.json&start=true', { name: 'left', jobs: chain }, leavesAfterMs)
      .then(response => response.arrayBuffer())
      .catch((error: unknown) => expect(isTimeout(error), String(error)).toBe(true))
    const after = await send(second!, '/workflows', { name: `after ${k}`, user: 'u' }, LOCK_MS)
    expect(after.status, await after.text()).toBe(200)
  }
}, 120_000)
