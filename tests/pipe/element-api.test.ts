import { beforeEach, describe, expect, it } from 'vitest'
import type { Client, Reply } from '../../runner/client.ts'
import type { LoopApi } from '../../runner/loop.ts'
import { elementApi } from '../../runner/pipe/element-api.ts'
import type { PipeProgress } from '../../runner/pipe/wire.ts'
import type { ClaimedJob, ExchangeRequest, WorkflowSummary } from '../../runner/wire.ts'

const NONE = {
  uninitialized: 0,
  blocked: 0,
  ready: 0,
  pending: 0,
  running: 0,
  completed: 0,
  failed: 0,
  canceled: 0,
  terminated: 0,
  disabled: 0,
  pending_failed: 0,
}

const progressOf = (counts: Partial<typeof NONE>, fields: Partial<PipeProgress> = {}): PipeProgress => ({
  state: 'active',
  is_over: false,
  are_members_over: false,
  members: { total: 10, by_status: { ...NONE, ...counts } },
  ejected: 0,
  misfits: 0,
  claimable: { fresh: 0, retried: 0 },
  live_runners: 2,
  ...fields,
})

const WORKFLOW: WorkflowSummary = {
  workflow_id: 1,
  name: 'w',
  run_id: 0,
  is_complete: false,
  is_canceled: false,
  total_jobs: 500,
  jobs_by_status: { ready: 400, running: 50 },
  active_compute_nodes: 9,
  wait_for_new_jobs_seconds: 90,
  next_retry_in_seconds: 3,
}

const CLAIM = { completions: [], verdicts: true, claim: {}, summary: true } as unknown as ExchangeRequest

let sent: { path: string; body: unknown }[]
let progress: PipeProgress | undefined
let claimed: ClaimedJob[]
let now: number
beforeEach(() => {
  sent = []
  progress = progressOf({ ready: 1 })
  claimed = []
  now = 0
})

function open(unknownKinds = new Map<number, string>(), leaseSeconds = 120): LoopApi {
  const client = {
    async request(_method: string, path: string, body: unknown): Promise<Reply<unknown>> {
      sent.push({ path, body })
      if (progress === undefined) return { ok: false, code: 'no_reply', message: 'gone' }
      return { ok: true, status: 200, value: progress }
    },
    async close() {},
  } as Client
  const api: LoopApi = {
    async exchange(request) {
      sent.push({ path: 'exchange', body: request.summary })
      return { completed: [], errors: [], claimed }
    },
    release: async () => true,
    heartbeat: async () => undefined,
    summary: async () => WORKFLOW,
  }
  return elementApi(api, {
    client,
    runId: 4,
    nodeId: 7,
    worker: 3,
    submission: 'hr-00000001',
    unknownKinds,
    leaseSeconds,
    clock: () => now,
  })
}

describe('elementApi()', () => {
  it('binds the node before its first claim, and once; claims ask for no summary of the whole workflow', async () => {
    const api = open()
    await api.exchange(CLAIM)
    await api.exchange(CLAIM)
    expect(sent).toEqual([
      { path: '/pipe_runs/4/runners', body: { compute_node_id: 7, worker: 3, submission: 'hr-00000001' } },
      { path: 'exchange', body: undefined },
      { path: 'exchange', body: undefined },
    ])
  })

  it('claims nothing while the node could not be bound', async () => {
    const api = open()
    progress = undefined
    expect(await api.exchange(CLAIM)).toBeUndefined()
    expect(sent.map(one => one.path)).toEqual(['/pipe_runs/4/runners'])
  })

  it('shows the loop the members of the run alone', async () => {
    progress = progressOf({ completed: 6, running: 3, blocked: 1 })
    expect(await open().summary()).toMatchObject({
      total_jobs: 10,
      jobs_by_status: { completed: 6, running: 3, ready: 0 },
      active_compute_nodes: 2,
      is_complete: false,
      next_retry_in_seconds: undefined,
    })
  })

  it.each<[string, PipeProgress, object]>([
    ['all members have ended', progressOf({ completed: 9, failed: 1 }), { is_complete: true }],
    ['the rest waits for its owner', progressOf({ completed: 9, pending_failed: 1 }), { is_complete: true }],
    [
      'the rest needs more than an element has',
      progressOf({ completed: 9, ready: 1 }, { misfits: 1 }),
      { is_complete: true },
    ],
    ['the run was canceled', progressOf({ running: 1 }, { state: 'canceled', is_over: true }), { is_canceled: true }],
    ['a member waits out a pause', progressOf({ ready: 1 }, { next_retry_in_seconds: 5 }), { is_complete: false }],
  ])('tells the loop its end when %s', async (_, seen, expected) => {
    progress = seen
    expect(await open().summary()).toMatchObject(expected)
  })

  it('asks at every look while there is nothing to do, and seldom while there is', async () => {
    const api = open()
    claimed = [{ id: 1 } as ClaimedJob]
    await api.exchange(CLAIM)
    const asked = () => sent.filter(one => one.path.endsWith('/progress')).length
    for (; now < 29_000; now += 5_000) await api.summary()
    expect(asked()).toBe(0)
    now = 31_000
    await api.summary()
    expect(asked()).toBe(1)
    claimed = []
    await api.exchange(CLAIM)
    await api.summary()
    await api.summary()
    expect(asked()).toBe(3)
  })

  it('shows itself several times in a short lease while there is something to do', async () => {
    const api = open(undefined, 16)
    claimed = [{ id: 1 } as ClaimedJob]
    await api.exchange(CLAIM)
    for (; now < 15_000; now += 1_000) await api.summary()
    expect(sent.filter(one => one.path.endsWith('/progress'))).toHaveLength(3)
  })

  it('says nothing when the control plane says nothing', async () => {
    progress = undefined
    expect(await open().summary()).toBeUndefined()
  })

  it('S38 lets a member of an unknown kind fail for good, by its kind, and leaves the others as they are', async () => {
    claimed = [
      { id: 1, command: 'echo 1', invocation_script: 'srun', options: { cwd: '/data' } } as ClaimedJob,
      { id: 2, command: 'echo 2' } as ClaimedJob,
    ]
    const reply = await open(new Map([[1, 'orca-input']])).exchange(CLAIM)
    expect(reply!.claimed).toEqual([
      {
        id: 1,
        command: "echo 'Cannot run this job as its kind is unknown: orca-input' >&2; exit 64",
        invocation_script: undefined,
        options: { cwd: '/data', deterministic: { exit_codes: [64], log_patterns: [] } },
      },
      { id: 2, command: 'echo 2' },
    ])
  })
})
