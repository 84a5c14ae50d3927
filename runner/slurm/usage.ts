import { textOf } from '../schedulers/answers.ts'
import type { CommandRunner } from '../schedulers/command.ts'
import { LIST_TIMEOUT_MS } from '../schedulers/command.ts'
import {
  type AccountingRow,
  type Measures,
  parseSacct,
  parseSstat,
  RUNNING,
  SACCT_FIELDS,
  SSTAT_FIELDS,
} from './accounting.ts'
import { parseStepName, type StepAttempt } from './step-name.ts'

/** What an allocation has used, by Slurm's accounting. */
export type AllocationUsage = {
  allocation: string
  state: string
  nodes: number
  cpus: number
  elapsedSeconds: number
  nodeHours: number
  cpuHours: number
  /** Of all CPU time that was given; undefined when none was measured. */
  cpuEfficiency: number | undefined
  maxRssBytes: number | undefined
}

/** What the step of one attempt has used. */
export type AttemptUsage = StepAttempt & Measures & { allocation: string; nodeList?: string }

const HOUR = 3600

/** Sums up the rows of allocations, the step with the most memory counting for its allocation. One that was requeued has several rows. */
export function usageOf(rows: readonly AccountingRow[]): AllocationUsage[] {
  return withOwnSteps(rows).map(({ row, steps }) => {
    const given = row.cpus * row.elapsedSeconds
    const peaks = steps.flatMap(step => step.maxRssBytes ?? [])
    return {
      allocation: row.allocation,
      state: row.state,
      nodes: row.nodes,
      cpus: row.cpus,
      elapsedSeconds: row.elapsedSeconds,
      nodeHours: (row.nodes * row.elapsedSeconds) / HOUR,
      cpuHours: given / HOUR,
      cpuEfficiency: efficiencyOf(row, given),
      maxRssBytes: peaks.length === 0 ? undefined : Math.max(...peaks),
    }
  })
}

/** Accounting learns of CPU time when steps end: while they run it says 0, which is none of it. */
function efficiencyOf({ state, totalCpuSeconds }: AccountingRow, givenSeconds: number): number | undefined {
  return state === RUNNING || totalCpuSeconds === undefined || givenSeconds === 0
    ? undefined
    : totalCpuSeconds / givenSeconds
}

/** Steps stand behind their allocation; numbers would not do, since those of a requeued one begin again. */
function withOwnSteps(rows: readonly AccountingRow[]): { row: AccountingRow; steps: AccountingRow[] }[] {
  const groups: { row: AccountingRow; steps: AccountingRow[] }[] = []
  for (const row of rows) {
    if (row.step === undefined) groups.push({ row, steps: [] })
    else groups.at(-1)?.steps.push(row)
  }
  return groups
}

/** The attempts that ran as steps of their own (execution_config.mode slurm). */
export function attemptsOf(rows: readonly AccountingRow[]): AttemptUsage[] {
  return rows.flatMap(({ allocation, name, step, nodeList, ...row }) => {
    const attempt = step === undefined ? undefined : parseStepName(name)
    if (attempt === undefined) return []
    const { aveCpuSeconds, maxRssBytes, maxVmSizeBytes, maxDiskReadBytes, maxDiskWriteBytes } = row
    return [
      {
        ...attempt,
        allocation,
        nodeList,
        aveCpuSeconds,
        maxRssBytes,
        maxVmSizeBytes,
        maxDiskReadBytes,
        maxDiskWriteBytes,
      },
    ]
  })
}

/**
 * Asks sacct for these allocations, and sstat for what runs in those that are not over: accounting learns of a step's memory when it has
 * ended. Says why there is nothing where the site keeps no accounting.
 */
export async function readAccounting(
  run: CommandRunner,
  allocations: readonly string[],
): Promise<{ rows: AccountingRow[] } | { trouble: string }> {
  const answer = textOf(
    await run(['sacct', '-D', '-P', '-n', '-j', allocations.join(','), '-o', SACCT_FIELDS], {
      timeoutMs: LIST_TIMEOUT_MS,
    }),
  )
  if ('trouble' in answer) return answer
  const rows = parseSacct(answer.text)
  if (rows === undefined) return { trouble: 'sacct prints something else than was asked for' }
  const running = rows.filter(row => row.step === undefined && row.state === RUNNING).map(row => row.allocation)
  return { rows: running.length === 0 ? rows : withSteps(rows, await readSteps(run, running)) }
}

async function readSteps(run: CommandRunner, allocations: readonly string[]): Promise<ReturnType<typeof parseSstat>> {
  const argv: [string, ...string[]] = ['sstat', '-a', '-P', '-n', '-j', allocations.join(','), '-o', SSTAT_FIELDS]
  const answer = textOf(await run(argv, { timeoutMs: LIST_TIMEOUT_MS }))
  return 'text' in answer ? parseSstat(answer.text) : []
}

/** Measures of running steps over what accounting has of them. */
function withSteps(rows: readonly AccountingRow[], steps: ReturnType<typeof parseSstat>): AccountingRow[] {
  return rows.map(row => {
    if (row.state !== RUNNING) return row
    const live = steps.find(step => step.allocation === row.allocation && step.step === row.step)
    return live === undefined ? row : { ...row, ...live }
  })
}
