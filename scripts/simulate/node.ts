import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { LEASE_SECONDS } from '../../api/core/leases.ts'
import { attemptOf } from '../../runner/attempt.ts'
import { createLedger, type Grant } from '../../runner/capacity/ledger.ts'
import { must } from '../../runner/client/must.ts'
import { type Client, createClient } from '../../runner/client.ts'
import { FAILING_PROGRAM } from '../../runner/faults/launcher.ts'
import { finalise } from '../../runner/finalise.ts'
import { createFinalisers, onMainPath } from '../../runner/job-threads/finalisers.ts'
import { createLoop, type LoopEnd } from '../../runner/loop.ts'
import { createLoopApi } from '../../runner/loop-api.ts'
import { createEpochs, type Epochs } from '../../runner/outbox/epoch.ts'
import { deliverLeftover } from '../../runner/outbox/leftovers.ts'
import { type Outbox, openOutbox } from '../../runner/outbox/outbox.ts'
import { withOutbox } from '../../runner/outbox/outbox-api.ts'
import { listOutboxFiles } from '../../runner/outbox/outbox-file.ts'
import { SIMULATED_PROGRAM } from '../../runner/simulate/launcher.ts'
import type { ClaimedJob } from '../../runner/wire.ts'
import type { Prepare } from '../../runner/work.ts'
import { Network } from './network.ts'
import { type Chance, HOUR_MS, MINUTE_MS, type Plan } from './plan.ts'
import type { VirtualServer } from './server.ts'
import type { VirtualTime } from './virtual-time.ts'
import { CORES_VARIABLE, openWatchedLauncher, type WatchedLauncher } from './watched-launcher.ts'
import type { Witness } from './witness.ts'
import { courseOf } from './workload.ts'

export type World = {
  plan: Plan
  time: VirtualTime
  server: VirtualServer
  witness: Witness
  directory: string
  workflowId: number
  areFaultsOver(): boolean
}

const CORES = 2
const MEMORY_GB = 8
const GIB = 2 ** 30
/** Rarer than real runners look: the counts are of no use here. */
const LOOK_MS = 5 * MINUTE_MS
/** Clocks of a cluster that nobody looks after: so many are wrong, and by so much at most. */
const SKEWED_SHARE = 0.3
const MOST_SKEW_MS = 2 * HOUR_MS
/** A runner that was killed, or has given up, comes back after about this time. */
const BACK_AFTER_MS = MINUTE_MS
const IDLE_EXIT_MS = 30 * MINUTE_MS
const GRACE_MS = 30_000
const OFFLINE_AT_MOST_MS = 20 * MINUTE_MS

/** A runner at work, as much as its killer has to know. */
type Life = { network: Network; nodeId?: number; launcher?: WatchedLauncher; outbox?: Outbox; end(how: 'killed'): void }

/** What a killed runner leaves: the claims it had, by the node it was. */
type Former = { nodeId: number; started: { job_id: number; claim_token: string; lost: 'node_lost' }[] }

/**
 * A node of the cluster. Its runner is the real loop with the real outbox, claims and client, over simulated processes and a network of
 * chance. Only its start is written anew, since the real one looks at processes: it tells what stands in the outbox and gives back the rest.
 */
export class VirtualNode {
  readonly #name: string
  readonly #world: World
  readonly #chance: Chance
  readonly #skewMs: number
  readonly #directory: string
  #former: Former | undefined
  #life: Life | undefined
  #hasVanished = false

  constructor(world: World, name: string, chance: Chance) {
    this.#name = name
    this.#world = world
    this.#chance = chance
    this.#skewMs = chance.hits(SKEWED_SHARE) ? chance.whole(-MOST_SKEW_MS, MOST_SKEW_MS) : 0
    this.#directory = join(world.directory, name)
    mkdirSync(this.#directory)
  }

  readonly #clock = (): number => this.#world.time.nowMs + this.#skewMs

  /** Runs one runner after the other, until the workflow is over or the node gone. */
  async live(): Promise<void> {
    while (!this.#hasVanished) {
      const end = await this.#liveOnce()
      if (end === 'complete' || end === 'canceled') return
      await this.#world.time.pause(this.#chance.span(BACK_AFTER_MS))
    }
  }

  cut(ms: number): void {
    this.#life?.network.cut(ms)
  }

  /** Its runner is killed with all it runs; the outbox stays on the disk. */
  killRunner(): void {
    const life = this.#life
    if (life === undefined) return
    this.#life = undefined
    life.network.leave()
    const running = life.launcher?.running() ?? []
    life.launcher?.die()
    life.outbox?.close()
    if (life.nodeId !== undefined) {
      const started = running.map(copy => ({
        job_id: copy.jobId,
        claim_token: copy.claimToken,
        lost: 'node_lost' as const,
      }))
      this.#former = { nodeId: life.nodeId, started }
    }
    life.end('killed')
  }

  /** The node is gone for good, and its disk with it. */
  vanish(): void {
    this.#hasVanished = true
    this.killRunner()
  }

  #liveOnce(): Promise<LoopEnd | 'killed' | 'no start'> {
    const { time, server, areFaultsOver } = this.#world
    return new Promise(resolve => {
      const life: Life = { network: new Network(time, server, this.#chance, areFaultsOver), end: resolve }
      this.#life = life
      this.#work(life).then(
        end => {
          if (this.#life === life) this.#life = undefined
          resolve(end)
        },
        // No answer at the start; or a refusal for good, which only a killed runner gets.
        () => resolve('no start'),
      )
    })
  }

  async #work(life: Life): Promise<LoopEnd> {
    const { witness, workflowId } = this.#world
    const epochs = createEpochs()
    const client = createClient(epochs.watch(life.network))
    const nodeId = await this.#begin(client, epochs)
    life.nodeId = nodeId
    const outbox = this.#openOutbox(nodeId, epochs)
    life.outbox = outbox
    const ledger = createLedger({
      cores: Array.from({ length: CORES }, (_, core) => core),
      memoryBytes: MEMORY_GB * GIB,
      gpus: [],
    })
    const api = createLoopApi(client, workflowId, nodeId, false)
    const loop = createLoop({
      api: withOutbox(api, { client, outbox, epochs, clock: this.#clock }),
      openLauncher: async events => {
        life.launcher = openWatchedLauncher(events, { witness, node: this.#name, cores: CORES, clock: this.#clock })
        return life.launcher
      },
      ledger,
      prepare: (job, grant) => this.#prepare(job, grant, nodeId),
      readopt: (attempt, claim) => ({ ...attempt, ...claim }),
      finalisers: createFinalisers({
        execute: onMainPath(({ attempt, end, reason }) => finalise(attempt, end, reason)),
        bookkeep: ({ entry }) => outbox.add(entry),
      }),
      claim: { computeNodeId: nodeId, leaseSeconds: LEASE_SECONDS, labels: [], bySlots: false },
      idleExitMs: IDLE_EXIT_MS,
      endOf: () => ({ signal: 'SIGTERM', graceMs: GRACE_MS }),
      lookMs: LOOK_MS,
      offlineAtMostMs: OFFLINE_AT_MOST_MS,
      clock: this.#clock,
    })
    const end = await loop.run()
    outbox.close()
    return end
  }

  /** What a runner does before its loop: tells what a former one could not, gives back what that one held, and signs on. */
  async #begin(client: Client, epochs: Epochs): Promise<number> {
    const again = { repeatable: true }
    for (const path of listOutboxFiles(this.#directory)) {
      const told = await deliverLeftover(client, path, { epoch: epochs.current, now: this.#clock() })
      if (told?.trouble !== undefined) throw new Error(told.trouble.message)
    }
    if (this.#former !== undefined) {
      const { nodeId, started } = this.#former
      await must(client.request('POST', `/compute_nodes/${nodeId}/release`, { claims: started, rest: true }, again))
      this.#former = undefined
    }
    const node = {
      workflow_id: this.#world.workflowId,
      hostname: this.#name,
      pid: 1,
      start_time: new Date(this.#clock()).toISOString(),
      num_cpus: CORES,
      memory_gb: MEMORY_GB,
      num_gpus: 0,
      num_nodes: 1,
      compute_node_type: 'local',
      is_active: true,
    }
    return (await must(client.request<{ id: number }>('POST', '/compute_nodes', node))).id
  }

  #openOutbox(nodeId: number, epochs: Epochs): Outbox {
    const { workflowId, witness } = this.#world
    return openOutbox({
      directory: this.#directory,
      header: {
        version: 1,
        host: hostname(),
        pid: process.pid,
        workflow_id: workflowId,
        compute_node_id: nodeId,
        epoch: epochs.current,
      },
      durability: 'process',
      clock: this.#clock,
      onTrouble: message => witness.violations.push(`the outbox of ${this.#name}: ${message}`),
    })
  }

  #prepare(job: ClaimedJob, grant: Grant, computeNodeId: number): ReturnType<Prepare> {
    const attempt = attemptOf(job, {
      runId: 0,
      computeNodeId,
      cwd: this.#directory,
      logs: { stdout: null, stderr: null },
      deleteLogsOnSuccess: false,
      usePendingFailed: false,
    })
    const { seconds, fails } = courseOf(this.#world.plan, job.id, job.attempt_id)
    const env = { [CORES_VARIABLE]: grant.cores.join(',') }
    return { attempt, argv: fails ? [FAILING_PROGRAM] : [SIMULATED_PROGRAM, String(seconds)], env }
  }
}
