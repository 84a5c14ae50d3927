import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { RENEWALS_PER_LEASE } from '../../api/core/leases.ts'
import { persistentClient, type ServerOfSoak } from './soak-client.ts'

export type VirtualRunner = ServerOfSoak & {
  workflowId: number
  /** How many jobs it runs at once. */
  slots: number
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
/** Jobs take up to so long, most of them much less. */
const LONGEST_JOB_MS = 8_000
/** Between two requests of a runner, with work and without. */
const BUSY_MS = 1_500
/** As often as a lease is renewed. */
const LONGEST_IDLE_MS = (LEASE_SECONDS * 1_000) / RENEWALS_PER_LEASE
/** Chance that a runner falls silent after a step, and for how long. */
const SILENCE = { chance: 0.004, ms: (LEASE_SECONDS + 5) * 1_000 }

const TAKEN = new Set(['accepted', 'salvaged', 'duplicate'])
/** What a runner hears of a job that was given to somebody else meanwhile. */
const TOO_LATE = new Set(['lost_claim', 'already_final', 'stale_run'])

/** Claims, heartbeats and completes as a runner does, without running anything, until its workflow is complete. */
export async function runVirtualRunner(runner: VirtualRunner): Promise<void> {
  const { workflowId, slots, deadlineMs, ledger } = runner
  let { fallsSilent } = runner
  const ask = persistentClient(runner)
  const held = new Map<number, Held>()
  const { id: nodeId } = await ask<{ id: number }>('POST', '/compute_nodes', nodeOf(workflowId, slots))
  let claimId = randomUUID()
  let idleMs = BUSY_MS
  while (true) {
    if (Date.now() > deadlineMs) throw new Error(`Workflow ${workflowId} did not end`)
    const done = [...held.values()].filter(job => job.doneAtMs <= Date.now())
    const reply = await ask<Reply>('POST', `/workflows/${workflowId}/batch_complete_jobs`, {
      completions: done.map(job => completionOf(job, workflowId, nodeId)),
      verdicts: true,
      claim: {
        ...{ claim_id: claimId, lease_seconds: LEASE_SECONDS, limit: Math.max(0, slots - (held.size - done.length)) },
        ...{ compute_node_id: nodeId, start: true },
      },
    })
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
    } else await sleep(idleMs * (0.5 + Math.random() / 2))
  }

  function record({ code }: { code: string }, job: Held): void {
    if (TAKEN.has(code)) {
      const before = ledger.accepted.get(job.id)
      if (before !== undefined && before !== job.attempt_id) ledger.twice.push(job.id)
      ledger.accepted.set(job.id, job.attempt_id)
    } else if (TOO_LATE.has(code)) ledger.tooLate++
    else ledger.unexpected.push(`${code} for job ${job.id}`)
  }

  async function isComplete(): Promise<boolean> {
    const reply = await ask<{ is_complete: boolean }>('GET', `/workflows/${workflowId}/is_complete`)
    return reply.is_complete
  }
}

const nodeOf = (workflowId: number, slots: number) => ({
  workflow_id: workflowId,
  hostname: 'soak',
  pid: process.pid,
  start_time: new Date().toISOString(),
  num_cpus: slots,
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
