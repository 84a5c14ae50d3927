import type { LoopApi } from '../../runner/loop.ts'
import type {
  ClaimedJob,
  ClaimPart,
  CompletionEntry,
  ExchangeReply,
  ExchangeRequest,
  HeartbeatReply,
  ToldClaim,
  WorkflowSummary,
} from '../../runner/wire.ts'

/** A job of the simulated workflow. */
export type PlannedJob = {
  id: number
  cpus?: number
  gpus?: number
  nodes?: number
  timeLimitSeconds?: number
  /** Blocked until these have completed. */
  after?: readonly number[]
}

type Status = 'blocked' | 'ready' | 'pending' | 'running' | CompletionEntry['status']

export type Exchange = { sentAtMs: number; request: ExchangeRequest }

/** Says what becomes of the n-th request (from 0): it never arrives, its reply is lost, or all is well. */
export type Weather = (n: number) => 'unsent' | 'unanswered' | undefined

export type SimulatedControlPlane = LoopApi & {
  exchanges: Exchange[]
  /** Most requests that were under way at a time. */
  mostAtOnce: number
  /** By claim token: how the claim ended. */
  ends: Map<string, string[]>
  statuses: Map<number, Status>
  isCanceled: boolean
  /** Other nodes that are registered. */
  otherNodes: number
  /** Jobs whose completions are refused. */
  refused: Set<number>
  heartbeats: { atMs: number; claims: readonly ToldClaim[]; leaseSeconds: number }[]
  /** Jobs that a heartbeat tells as lost, as canceled, or gives back when they still run. */
  lost: Set<number>
  canceled: Set<number>
  rescued: Set<number>
  /** Of jobs that are not at their first. */
  attempts: Map<number, number>
  /** What heartbeats say of other runners. */
  starving: boolean
}

/** A control plane in memory that follows docs/api.md as far as the loop needs it. Every answer takes `latencyMs`. */
export function simulateControlPlane(
  jobs: readonly PlannedJob[],
  { latencyMs = 1, weather = () => undefined }: { latencyMs?: number; weather?: Weather } = {},
): SimulatedControlPlane {
  const byId = new Map(jobs.map(job => [job.id, job]))
  const statuses = new Map<number, Status>(jobs.map(job => [job.id, job.after ? 'blocked' : 'ready']))
  const ends = new Map<string, string[]>()
  const remembered = new Map<string, ClaimedJob[]>()
  const exchanges: Exchange[] = []
  let underWay = 0
  let requests = 0
  let tokens = 0

  async function answer<T>(take: () => T): Promise<T | undefined> {
    const fate = weather(requests++)
    plane.mostAtOnce = Math.max(plane.mostAtOnce, ++underWay)
    const value = fate === 'unsent' ? undefined : take()
    await new Promise(resolve => setTimeout(resolve, latencyMs))
    underWay--
    return fate === undefined ? value : undefined
  }

  function unblock(): void {
    for (const job of jobs) {
      const open = job.after?.some(id => statuses.get(id) !== 'completed')
      if (statuses.get(job.id) === 'blocked' && !open) statuses.set(job.id, 'ready')
    }
  }

  function complete(entry: CompletionEntry): void {
    const known = ends.get(entry.claim_token)!
    if (plane.refused.has(entry.job_id)) return
    // The same completion sent again is a duplicate. The end of the runner's own time is the job's loss, not its end.
    const isLost = entry.failure_class === 'allocation_end'
    if (known.length === 0) statuses.set(entry.job_id, isLost ? 'ready' : entry.status)
    if (known[0] !== entry.status) known.push(entry.status)
  }

  function takeWhile(most: number, fits: (job: PlannedJob) => boolean, status: Status): ClaimedJob[] {
    const taken: ClaimedJob[] = []
    for (const job of jobs) {
      if (taken.length >= most) break
      if (statuses.get(job.id) !== 'ready' || !fits(job)) continue
      statuses.set(job.id, status)
      const token = `t${++tokens}.${job.id}`
      ends.set(token, [])
      taken.push({ ...claimedJob(job, token, status), attempt_id: plane.attempts.get(job.id) ?? 1 })
    }
    return taken
  }

  function claim(part: ClaimPart): ClaimedJob[] {
    const before = remembered.get(part.claim_id)
    if (before !== undefined) return before
    if (plane.isCanceled) return []
    let cpus = part.num_cpus ?? Infinity
    let gpus = part.num_gpus ?? Infinity
    const now = takeWhile(
      part.limit,
      job => {
        if (cpusOf(job) > cpus || gpusOf(job) > gpus) return false
        cpus -= cpusOf(job)
        gpus -= gpusOf(job)
        return true
      },
      'running',
    )
    const { hold } = part
    const ahead = hold
      ? takeWhile(hold.jobs, job => cpusOf(job) <= hold.num_cpus && gpusOf(job) <= hold.num_gpus, 'pending')
      : []
    remembered.set(part.claim_id, [...now, ...ahead])
    return [...now, ...ahead]
  }

  const plane: SimulatedControlPlane = {
    exchanges,
    mostAtOnce: 0,
    ends,
    statuses,
    isCanceled: false,
    otherNodes: 0,
    refused: new Set(),
    heartbeats: [],
    lost: new Set(),
    canceled: new Set(),
    rescued: new Set(),
    attempts: new Map(),
    starving: false,
    exchange(request) {
      exchanges.push({ sentAtMs: Date.now(), request })
      return answer((): ExchangeReply => {
        for (const entry of request.completions) complete(entry)
        for (const { job_id } of request.started ?? []) statuses.set(job_id, 'running')
        unblock()
        const claimed = request.claim && claim(request.claim)
        return { completed: request.completions.map(entry => entry.job_id), errors: [], claimed }
      })
    },
    async release(claims) {
      const done = await answer(() => {
        for (const { job_id, claim_token } of claims) {
          const known = ends.get(claim_token)!
          if (known.length > 0) continue
          known.push('released')
          statuses.set(job_id, 'ready')
        }
        return true
      })
      return done ?? false
    },
    async heartbeat(claims, leaseSeconds) {
      plane.heartbeats.push({ atMs: Date.now(), claims, leaseSeconds })
      return answer((): HeartbeatReply => {
        const told = new Map(claims.map(claim => [claim.job_id, claim]))
        const theirs = (ids: ReadonlySet<number>) => claims.map(({ job_id }) => job_id).filter(id => ids.has(id))
        const back = theirs(plane.rescued).filter(id => told.get(id)!.running)
        for (const id of back) {
          plane.rescued.delete(id)
          ends.set(`again.${id}`, [])
        }
        return {
          lost: theirs(plane.lost),
          cancel: theirs(plane.canceled),
          reclaimed: back.map(job_id => ({ job_id, claim_token: `again.${job_id}`, attempt_id: 2 })),
          starving: plane.starving,
        }
      })
    },
    summary() {
      return answer((): WorkflowSummary => {
        const all = [...statuses.values()]
        return {
          workflow_id: 1,
          name: 'simulated',
          run_id: 0,
          is_complete: all.every(status => !OPEN.has(status)),
          is_canceled: plane.isCanceled,
          total_jobs: jobs.length,
          jobs_by_status: Object.fromEntries([...new Set(all)].map(one => [one, all.filter(s => s === one).length])),
          active_compute_nodes: 1 + plane.otherNodes,
          wait_for_new_jobs_seconds: 0,
        }
      })
    },
  }
  if (jobs.some(job => job.after?.some(id => !byId.has(id)))) throw new Error('A job waits for one that is not there')
  return plane
}

const OPEN: ReadonlySet<Status> = new Set(['blocked', 'ready', 'pending', 'running'])
const cpusOf = (job: PlannedJob): number => job.cpus ?? 1
const gpusOf = (job: PlannedJob): number => job.gpus ?? 0

function claimedJob(job: PlannedJob, token: string, status: Status): ClaimedJob {
  return {
    id: job.id,
    workflow_id: 1,
    name: `job ${job.id}`,
    command: 'true',
    status,
    attempt_id: 1,
    claim_token: token,
    claimed_at: Date.now(),
    resource_requirements: {
      num_cpus: cpusOf(job),
      num_gpus: gpusOf(job),
      num_nodes: job.nodes,
      memory_bytes: 0,
      runtime_seconds: 60,
    },
    options: { time_limit_seconds: job.timeLimitSeconds },
  }
}
