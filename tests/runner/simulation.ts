import { vi } from 'vitest'
import { LEASE_SECONDS } from '../../api/core/leases.ts'
import { attemptOf } from '../../runner/attempt.ts'
import { type Capacity, createLedger, type Ledger } from '../../runner/capacity/ledger.ts'
import { finalise } from '../../runner/finalise.ts'
import { createFinalisers, type FinalisersOptions, onMainPath } from '../../runner/job-threads/finalisers.ts'
import { createLoop, type Loop, type LoopEnd, type LoopState } from '../../runner/loop.ts'
import type { ClaimedJob } from '../../runner/wire.ts'
import {
  type PlannedJob,
  type SimulatedControlPlane,
  simulateControlPlane,
  type Weather,
} from './simulated-control-plane.ts'
import { type Behaviour, CORES, GPUS, type SimulatedLauncher, simulateLauncher } from './simulated-launcher.ts'

export type Job = PlannedJob & Behaviour

export type Simulation = {
  loop: Loop
  plane: SimulatedControlPlane
  /** There once the loop runs. */
  launcher: SimulatedLauncher
  ledger: Ledger
  /** What the loop told whoever watches. */
  states: LoopState[]
  /** Set when the loop has ended. */
  end: LoopEnd | undefined
  /** Lets virtual time pass until the loop ends; throws when it does not within that time. */
  finish(atMostMs?: number): Promise<LoopEnd>
}

export type SimulationOptions = {
  capacity?: Partial<Capacity>
  latencyMs?: number
  weather?: Weather
  graceMs?: number
  lookMs?: number
  endAfterMs?: number
  leaseSeconds?: number
  /** When nothing new is taken, when all is ended, and when each job is asked to end; milliseconds from the beginning. */
  ending?: { drainAfterMs: number; stopAfterMs: number; askAfterMs(job: ClaimedJob): number }
  offlineAtMostMs?: number
  /** How completions are made, where it is not the usual way. */
  finalising?: Partial<FinalisersOptions>
}

/** Starts a loop over simulated processes and a simulated control plane. Needs vitest's fake timers, which are its clock. */
export async function simulate(jobs: readonly Job[], options: SimulationOptions = {}): Promise<Simulation> {
  const {
    latencyMs,
    weather,
    capacity,
    graceMs = 30_000,
    lookMs = 500,
    offlineAtMostMs = 600_000,
    endAfterMs,
    ending,
    leaseSeconds = LEASE_SECONDS,
    finalising,
  } = options
  const behaviour = new Map(jobs.map(job => [job.id, job]))
  const ledger = createLedger({ cores: [0, 1], memoryBytes: 2 ** 30, gpus: [], ...capacity })
  const plane = simulateControlPlane(jobs, { latencyMs, weather })
  const states: LoopState[] = []
  const beganAtMs = Date.now()
  const { drainAfterMs = endAfterMs, stopAfterMs = endAfterMs } = ending ?? {}
  const end =
    drainAfterMs === undefined || stopAfterMs === undefined
      ? undefined
      : { drainAtMs: beganAtMs + drainAfterMs, stopAtMs: beganAtMs + stopAfterMs }
  let launcher: SimulatedLauncher | undefined
  const loop = createLoop({
    api: plane,
    async openLauncher(events) {
      launcher = simulateLauncher(id => behaviour.get(id)!, events)
      return launcher
    },
    ledger,
    prepare(job, grant) {
      const attempt = attemptOf(job, {
        runId: 0,
        computeNodeId: 1,
        cwd: '/',
        logs: { stdout: null, stderr: null },
        deleteLogsOnSuccess: false,
        usePendingFailed: false,
      })
      return { attempt, argv: ['true'], env: { [CORES]: grant.cores.join(','), [GPUS]: grant.gpus.join(',') } }
    },
    finalisers: createFinalisers({
      execute: onMainPath(({ attempt, end, reason }) => finalise(attempt, end, reason)),
      ...finalising,
    }),
    readopt: (attempt, claim) => ({ ...attempt, ...claim }),
    claim: { computeNodeId: 1, leaseSeconds, labels: [], bySlots: capacity?.slots !== undefined },
    end,
    endOf: job => ({ signal: 'SIGTERM', graceMs, askAtMs: ending && beganAtMs + ending.askAfterMs(job) }),
    lookMs,
    offlineAtMostMs,
    clock: Date.now,
    onChange: state => states.push(state),
  })
  const simulation: Simulation = {
    loop,
    plane,
    ledger,
    states,
    end: undefined,
    get launcher() {
      return launcher!
    },
    async finish(atMostMs = 3_600_000) {
      const until = Date.now() + atMostMs
      while (simulation.end === undefined && Date.now() < until) await vi.advanceTimersToNextTimerAsync()
      if (simulation.end === undefined) throw new Error(`The loop has not ended: ${JSON.stringify(states.at(-1))}`)
      return simulation.end
    },
  }
  void loop.run().then(end => {
    simulation.end = end
  })
  // The launcher opens without a timer.
  await vi.advanceTimersByTimeAsync(0)
  return simulation
}

/** So many equal jobs, with ids from `first` on. */
export const equalJobs = (count: number, durationMs: number, fields: Partial<Job> = {}, first = 1): Job[] =>
  Array.from({ length: count }, (_, index) => ({ id: first + index, durationMs, ...fields }))
