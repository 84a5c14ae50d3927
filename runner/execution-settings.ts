import { constants } from 'node:os'
import type { StdioSettings } from './stdio.ts'

/** A workflow's `execution_config` as the wire has it, as far as a runner heeds it (spec-format.md 11). */
export type ExecutionConfig = StdioSettings & {
  mode?: string
  srun_termination_signal?: string
  enable_cpu_bind?: boolean
  srun_mpi?: string
  limit_resources?: boolean
  termination_signal?: string
  sigterm_lead_seconds?: number
  sigkill_headroom_seconds?: number
  timeout_exit_code?: number
  oom_exit_code?: number
}

/** What is recorded of a job that the runner ended: for its time, and for its memory. */
export type ReturnCodes = { timeout: number; oom: number }

/** How a running job is asked to end, and how long it has before it is killed. */
export type JobEnd = { signal: NodeJS.Signals; graceMs: number }

/** When jobs are asked to end as their runner has to be gone, and when what is left of them is killed; epoch milliseconds. */
export type EndingTimes = { askAtMs: number; killAtMs: number }

const LEAD_SECONDS = 30
const HEADROOM_SECONDS = 60
/** As Torc writes them; 137 is 128 + SIGKILL. */
export const USUAL_CODES: ReturnCodes = { timeout: 152, oom: 137 }
/** Of a short run no more than this goes for the usual lead and headroom. */
const SHARE_FOR_ENDING = 0.25

export function returnCodesOf(config: ExecutionConfig): ReturnCodes {
  return {
    timeout: config.timeout_exit_code ?? USUAL_CODES.timeout,
    oom: config.oom_exit_code ?? USUAL_CODES.oom,
  }
}

/** A signal that this system does not know is taken for SIGTERM. */
export function jobEndOf(config: ExecutionConfig): JobEnd {
  return {
    signal: readSignal(config.termination_signal) ?? 'SIGTERM',
    graceMs: seconds(config.sigterm_lead_seconds, LEAD_SECONDS),
  }
}

/** `SIGUSR1`, `usr1` or a number; undefined when there is no such signal. */
export function readSignal(text: string | undefined): NodeJS.Signals | undefined {
  const word = text?.trim().toUpperCase()
  if (word === undefined || word === '') return undefined
  const named = word.startsWith('SIG') ? word : `SIG${word}`
  const entry = Object.entries(constants.signals).find(([name, number]) => name === named || String(number) === word)
  return entry?.[0] as NodeJS.Signals | undefined
}

/**
 * When a runner that has to be gone at `endMs` begins to end its jobs: headroom and lead before it, so that they are killed with the headroom
 * still left. What the workflow says counts. What it leaves open shrinks where all together would take more than a quarter of the run: one
 * of a minute would be over before it began.
 */
export function endingTimes(
  endMs: number,
  startMs: number,
  { sigterm_lead_seconds: lead, sigkill_headroom_seconds: headroom }: ExecutionConfig,
): EndingTimes {
  const said = seconds(lead, 0) + seconds(headroom, 0)
  const open = seconds(lead, LEAD_SECONDS) + seconds(headroom, HEADROOM_SECONDS) - said
  const room = Math.max(0, (endMs - startMs) * SHARE_FOR_ENDING - said)
  const shrink = open > 0 ? Math.min(1, room / open) : 1
  const killAtMs = endMs - seconds(headroom, HEADROOM_SECONDS * shrink)
  return { askAtMs: killAtMs - seconds(lead, LEAD_SECONDS * shrink), killAtMs }
}

const seconds = (given: number | undefined, usual: number): number => 1000 * Math.max(0, given ?? usual)
