import { type Column, renderTable } from '../screen/table.ts'
import { type Moments, type Phases, phasesOf, type RunnerPhases } from './phases.ts'

export type PhasedResult = Moments & { job_id: number; job_name?: string; attempt_id: number; compute_node_id: number }

const PHASE_TITLES = [
  ['QUEUED', 'queued_seconds'],
  ['LAUNCHING', 'launching_seconds'],
  ['RUNNING', 'running_seconds'],
  ['REPORTING', 'reporting_seconds'],
  ['TOTAL', 'total_seconds'],
] as const

const phaseColumns = <T>(of: (row: T) => Phases): Column<T>[] =>
  PHASE_TITLES.map(([title, name]) => ({ title, value: row => formatPhase(of(row)[name]), align: 'right' }))

/** Milliseconds count here: most of these times are short. */
function formatPhase(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined
  return Math.abs(seconds) < 10 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`
}

const JOBS: readonly Column<PhasedResult>[] = [
  { title: 'JOB', value: row => row.job_id, align: 'right' },
  { title: 'NAME', value: row => row.job_name },
  { title: 'TRY', value: row => row.attempt_id, align: 'right' },
  { title: 'RUNNER', value: row => row.compute_node_id, align: 'right' },
  ...phaseColumns<PhasedResult>(phasesOf),
]

const RUNNERS: readonly Column<RunnerPhases & { hostname?: string }>[] = [
  { title: 'RUNNER', value: row => row.compute_node_id, align: 'right' },
  { title: 'HOST', value: row => row.hostname },
  { title: 'ATTEMPTS', value: row => row.attempts, align: 'right' },
  { title: 'SPAN', value: row => formatPhase(row.span_seconds), align: 'right' },
  { title: 'BUSY', value: row => row.busy, align: 'right' },
  ...phaseColumns<RunnerPhases>(row => row.median),
]

/** Two tables: every attempt, and the runners with the medians of theirs. */
export function renderPhases(
  results: readonly PhasedResult[],
  runners: readonly (RunnerPhases & { hostname?: string })[],
  screenWidth: number,
): string {
  return `${renderTable(JOBS, results, screenWidth)}\nBy runner, half of the attempts took less than:\n${renderTable(RUNNERS, runners, screenWidth)}`
}
