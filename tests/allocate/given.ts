import type { PlanConfig } from '../../runner/allocate/config.ts'
import type { LiveRunner, OpenRequest, Policy, QueueFacts, ReadyGroup, Snapshot } from '../../runner/allocate/types.ts'
import type { WireRecent } from '../../runner/allocate/wire.ts'

export const GIB = 2 ** 30
export const HOUR = 3_600

/** Values for tests, each with what most need and what one says otherwise. */

export const groupOf = (fields: Partial<ReadyGroup> = {}): ReadyGroup => ({
  cpus: 1,
  memoryBytes: GIB,
  gpus: 0,
  nodes: 1,
  runtimeSeconds: 60,
  labels: '',
  schedulerId: undefined,
  count: 1,
  readySinceMs: 0,
  ...fields,
})

export const runnerOf = (fields: Partial<LiveRunner> = {}): LiveRunner => ({
  cpus: 4,
  memoryBytes: 16 * GIB,
  gpus: 0,
  nodes: 1,
  labels: [],
  used: { cpus: 0, memoryBytes: 0, gpus: 0 },
  busySeconds: 0,
  secondsLeft: HOUR,
  isOurs: true,
  ...fields,
})

export const requestOf = (fields: Partial<OpenRequest> = {}): OpenRequest => ({
  name: 'hr-00000001',
  queue: '',
  offer: { cpus: 4, memoryBytes: 16 * GIB, gpus: 0 },
  nodes: 1,
  walltimeSeconds: HOUR,
  queued: 1,
  starting: 0,
  unneededSinceMs: undefined,
  ...fields,
})

export const queueOf = (fields: Partial<QueueFacts> = {}): QueueFacts => ({
  name: '',
  backlog: 0,
  submittedLastMinute: 0,
  nodeSecondsLastDay: 0,
  refusedInRow: 0,
  isPaused: false,
  ...fields,
})

export const policyFor = (fields: Partial<Policy> = {}): Policy => ({
  queues: [{ name: '' }],
  walltimesSeconds: [HOUR],
  node: { cpus: 4, memoryBytes: 16 * GIB, gpus: 0 },
  nodesMost: 10,
  requestLeast: 1,
  requestMost: 10,
  backlog: 1,
  utilizationLeast: 0,
  waitMostSeconds: 600,
  cancelAfterSeconds: 60,
  submitsPerMinute: 10,
  nodeSecondsPerDay: Number.POSITIVE_INFINITY,
  labels: [],
  spansNodes: true,
  ...fields,
})

export const snapshotWith = (fields: Partial<Snapshot> = {}): Snapshot => ({
  nowMs: 0,
  groups: [],
  runners: [],
  requests: [],
  queues: [queueOf()],
  ...fields,
})

export const recentOf = (fields: Partial<WireRecent> = {}): WireRecent => ({
  id: 1,
  name: 'hr-00000001',
  plan: 'default',
  scheduler_type: 'slurm',
  queue: '',
  width: 1,
  nodes: 1,
  cores: 4,
  memory_bytes: 16 * GIB,
  gpus: 0,
  walltime_seconds: HOUR,
  directory: '/none',
  state: 'queued',
  scheduler_id: '123',
  created_at: 0,
  submitted_at: 0,
  registered_runners: 0,
  active_runners: 0,
  ...fields,
})

export const configOf = (fields: Partial<PlanConfig> = {}): PlanConfig => ({
  scheduler: 'slurm',
  cluster: 'slurm',
  queues: [{ name: '' }],
  walltimes_seconds: [HOUR],
  cpus: 4,
  memory_bytes: 16 * GIB,
  gpus: 0,
  nodes_most: 10,
  request_least: 1,
  request_most: 10,
  backlog: 1,
  utilization_least: 0,
  wait_most_seconds: 600,
  cancel_after_seconds: 60,
  pend_limit_seconds: 600,
  submits_per_minute: 10,
  idle_exit_seconds: 90,
  labels: [],
  prologue: [],
  directives: [],
  url: 'http://127.0.0.1:1/v1',
  output_dir: '/none',
  cwd: '/none',
  ...fields,
})
