import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

/** What all runners of a soak have seen. */
export type Ledger = {
  /** Jobs whose completion was acknowledged, with the attempt that counted. */
  accepted: Map<number, number>
  /** Jobs of which two attempts were taken. */
  twice: number[]
  /** Answers that no runner should get. */
  unexpected: string[]
  requests: number
  /** How often a runner said nothing for longer than a lease. */
  silences: number
}

export type VirtualRunner = {
  url: string
  token: string
  workflowId: number
  deadlineMs: number
  ledger: Ledger
  /** Falls silent with its first jobs in hand, besides what chance does. */
  fallsSilent: boolean
}

type Claimed = { id: number; attempt_id: number; claim_token: string }
type Held = Claimed & { doneAtMs: number }
type Reply = {
  claimed?: Claimed[]
  verdicts?: { job_id: number; code: string }[]
  errors?: { message: string }[]
}

/** The shortest the server allows, so that a short soak sees many lapse. */
const LEASE_SECONDS = 15
const SLOTS = 4
/** Jobs take up to so long, most of them much less. */
const LONGEST_JOB_MS = 3_000
/** Between two requests of a runner, with work and without. */
const BUSY_MS = 1_000
const LONGEST_IDLE_MS = 8_000
/** Chance that a runner falls silent after a step, and for how long. */
const SILENCE = { chance: 0.004, ms: (LEASE_SECONDS + 5) * 1_000 }
const REQUEST_MS = 30_000

/** What no repetition would change. */
class Refused extends Error {}

const TAKEN = new Set(['accepted', 'salvaged', 'duplicate'])
/** What a runner hears of a job that was given to somebody else meanwhile. */
const TOO_LATE = new Set(['lost_claim', 'already_final', 'stale_run'])

/** Claims, heartbeats and completes as a runner does, without running anything, until its workflow is complete. */
export async function runVirtualRunner(runner: VirtualRunner): Promise<void> {
  const { url, token, workflowId, deadlineMs, ledger } = runner
  let { fallsSilent } = runner
  const held = new Map<number, Held>()
  const nodeId = ((await untilAnswered('POST', '/compute_nodes', nodeOf(workflowId))) as { id: number }).id
  let claimId = randomUUID()
  let idleMs = BUSY_MS
  while (true) {
    if (Date.now() > deadlineMs) throw new Error(`Workflow ${workflowId} did not end`)
    const done = [...held.values()].filter(job => job.doneAtMs <= Date.now())
    const reply = (await untilAnswered('POST', `/workflows/${workflowId}/batch_complete_jobs`, {
      completions: done.map(job => completionOf(job, workflowId, nodeId)),
      verdicts: true,
      claim: {
        ...{ claim_id: claimId, lease_seconds: LEASE_SECONDS, limit: Math.max(0, SLOTS - (held.size - done.length)) },
        ...{ compute_node_id: nodeId, start: true },
      },
    })) as Reply
    claimId = randomUUID()
    for (const job of done) held.delete(job.id)
    for (const verdict of reply.verdicts ?? []) record(verdict, done.find(({ id }) => id === verdict.job_id)!)
    for (const job of reply.claimed ?? [])
      held.set(job.id, { ...job, doneAtMs: Date.now() + Math.random() ** 3 * LONGEST_JOB_MS })
    const busy = done.length > 0 || (reply.claimed?.length ?? 0) > 0
    idleMs = busy ? BUSY_MS : Math.min(LONGEST_IDLE_MS, idleMs * 2)
    if (held.size === 0 && !busy && (await isComplete())) return
    if (held.size > 0 && (fallsSilent || Math.random() < SILENCE.chance)) {
      fallsSilent = false
      ledger.silences++
      await sleep(SILENCE.ms)
    } else await sleep(idleMs * (0.5 + Math.random()))
  }

  function record({ code }: { code: string }, job: Held): void {
    if (TAKEN.has(code)) {
      const before = ledger.accepted.get(job.id)
      if (before !== undefined && before !== job.attempt_id) ledger.twice.push(job.id)
      ledger.accepted.set(job.id, job.attempt_id)
    } else if (!TOO_LATE.has(code)) ledger.unexpected.push(`${code} for job ${job.id}`)
  }

  async function isComplete(): Promise<boolean> {
    const reply = (await untilAnswered('GET', `/workflows/${workflowId}/is_complete`)) as { is_complete: boolean }
    return reply.is_complete
  }

  /** Asks again and again while the server is away; anything it says that is no answer and no excuse is noted. */
  async function untilAnswered(method: string, path: string, body?: unknown): Promise<unknown> {
    while (Date.now() < deadlineMs) {
      ledger.requests++
      try {
        const response = await fetch(`${url}/v1${path}`, {
          method,
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: body === undefined ? undefined : JSON.stringify(body),
          signal: AbortSignal.timeout(REQUEST_MS),
        })
        const text = await response.text()
        if (response.ok) return JSON.parse(text)
        if (response.status < 500 && response.status !== 429)
          throw new Refused(`${method} ${path}: ${response.status} ${text}`)
        if (response.status !== 503) ledger.unexpected.push(`${response.status} ${text}`)
      } catch (error) {
        if (error instanceof Refused) throw error
        // Away, frozen or killed in the middle of the answer.
      }
      await sleep(200 + Math.random() * 800)
    }
    throw new Error(`No answer to ${method} ${path} before the end of the soak`)
  }
}

const nodeOf = (workflowId: number) => ({
  workflow_id: workflowId,
  hostname: 'soak',
  pid: process.pid,
  start_time: new Date().toISOString(),
  num_cpus: SLOTS,
  memory_gb: 64,
  num_gpus: 0,
  num_nodes: 1,
  compute_node_type: 'local',
  is_active: true,
})

const completionOf = (job: Held, workflowId: number, nodeId: number) => ({
  job_id: job.id,
  status: 'completed',
  run_id: 0,
  claim_token: job.claim_token,
  result: {
    ...{ job_id: job.id, workflow_id: workflowId, run_id: 0, attempt_id: job.attempt_id, compute_node_id: nodeId },
    ...{ return_code: 0, exec_time_minutes: 0.01, completion_time: new Date().toISOString(), status: 'completed' },
  },
})
