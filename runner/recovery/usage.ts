/** What jobs used against what they require, one line for each set of requirements. Pure. */
import { parseDuration } from '../../api/core/duration.ts'
import { parseMemory } from '../../api/core/memory.ts'
import { formatMemory, formatRuntime } from './amounts.ts'
import type { Raise } from './decide.ts'
import type { RequirementsRow } from './failed-jobs.ts'

export type UsedResult = {
  job_id: number
  exec_time_minutes: number
  peak_memory_bytes?: number
  user_seconds?: number
  system_seconds?: number
  /** Of samples, in per cent of one CPU. */
  peak_cpu_percent?: number
  failure_class?: string
}

export type Usage = {
  resource_requirements_id: number
  name: string
  /** Jobs with a result. */
  jobs: number
  num_cpus: number
  /** Most CPUs that one job kept busy: in a sample where there are some, else on average; absent where nobody measured. */
  busiest_cpus?: number
  memory: string
  peak_memory_bytes?: number
  runtime: string
  longest_seconds: number
  findings: Finding[]
}

export type Finding = 'over_memory' | 'over_runtime' | 'over_cpus' | 'spare_memory' | 'spare_runtime'

/** Using less than this share of what is required keeps others out for nothing. */
const SPARE = 0.5
/** Requiring no more than this keeps nobody out. */
const LITTLE_MEMORY = 64 * 2 ** 20
const LITTLE_SECONDS = 60
/** A little more than the CPUs required is measuring noise. */
const CPU_SLACK = 1.1
/** What jobs without requirements have: the memory it names is a placeholder, which nobody is held to (spec-format.md 7). */
const DEFAULT_SET = 'default'

export function usageOf(
  results: readonly UsedResult[],
  requirementsOfJob: ReadonlyMap<number, number>,
  sets: readonly RequirementsRow[],
): Usage[] {
  return sets.flatMap(set => {
    const own = results.filter(result => requirementsOfJob.get(result.job_id) === set.id)
    return own.length === 0 ? [] : [measure(set, own)]
  })
}

function measure(set: RequirementsRow, results: readonly UsedResult[]): Usage {
  const usage = {
    resource_requirements_id: set.id,
    name: set.name,
    jobs: new Set(results.map(result => result.job_id)).size,
    num_cpus: set.num_cpus,
    busiest_cpus: most(results.map(busyCpus)),
    memory: set.memory,
    peak_memory_bytes: most(results.map(result => result.peak_memory_bytes)),
    runtime: set.runtime,
    longest_seconds: Math.round((most(results.map(result => result.exec_time_minutes * 60)) ?? 0) * 10) / 10,
  }
  const ranOut = results.some(result => result.failure_class === 'oom')
  return { ...usage, findings: findingsOf(usage, ranOut) }
}

function busyCpus(result: UsedResult): number | undefined {
  const { user_seconds, system_seconds, exec_time_minutes, peak_cpu_percent } = result
  if (peak_cpu_percent !== undefined) return Math.round(peak_cpu_percent) / 100
  if (user_seconds === undefined || exec_time_minutes === 0) return undefined
  return Math.round(((user_seconds + (system_seconds ?? 0)) / (exec_time_minutes * 60)) * 100) / 100
}

const most = (values: readonly (number | undefined)[]): number | undefined =>
  values.reduce(
    (best, value) => (value === undefined || (best !== undefined && best >= value) ? best : value),
    undefined,
  )

/** A job that was ended at the limit has used no more than that, and wanted to. */
function findingsOf(usage: Omit<Usage, 'findings'>, ranOut: boolean): Finding[] {
  const { peak_memory_bytes: peak, longest_seconds: longest, busiest_cpus: cpus } = usage
  const memory = usage.name === DEFAULT_SET ? undefined : parseMemory(usage.memory)
  const runtime = parseDuration(usage.runtime)
  const findings: Finding[] = []
  if (peak !== undefined && memory !== undefined) {
    if (ranOut || peak > memory) findings.push('over_memory')
    else if (peak < memory * SPARE && memory > LITTLE_MEMORY) findings.push('spare_memory')
  }
  if (runtime !== undefined) {
    if (longest > runtime) findings.push('over_runtime')
    else if (longest < runtime * SPARE && runtime > LITTLE_SECONDS) findings.push('spare_runtime')
  }
  if (cpus !== undefined && cpus > usage.num_cpus * CPU_SLACK) findings.push('over_cpus')
  return findings
}

export type Correction = { memoryMultiplier: number; runtimeMultiplier: number; downsize: boolean }

/** The changes that make requirements fit what was used, with room to spare. CPUs are left to people: more of them change the work. */
export function corrections(
  usages: readonly Usage[],
  { memoryMultiplier, runtimeMultiplier, downsize }: Correction,
): Raise[] {
  return usages.flatMap(usage => {
    const { findings, peak_memory_bytes: peak, longest_seconds: longest } = usage
    const change: Raise = { resource_requirements_id: usage.resource_requirements_id, name: usage.name }
    const wants = (over: Finding, spare: Finding) => findings.includes(over) || (downsize && findings.includes(spare))
    if (peak !== undefined && wants('over_memory', 'spare_memory')) {
      const used = findings.includes('over_memory') ? Math.max(peak, parseMemory(usage.memory) ?? 0) : peak
      change.memory = changed(usage.memory, formatMemory(used * memoryMultiplier))
    }
    if (wants('over_runtime', 'spare_runtime')) {
      change.runtime = changed(usage.runtime, formatRuntime(Math.max(LITTLE_SECONDS, longest * runtimeMultiplier)))
    }
    return change.memory === undefined && change.runtime === undefined ? [] : [change]
  })
}

const changed = (from: string, to: string) => (from === to ? undefined : { from, to })
