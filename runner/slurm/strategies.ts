import { parseWalltime } from '../../api/core/spec/slurm-text.ts'
import type { CommandRunner } from '../schedulers/command.ts'
import { SUBMIT_TIMEOUT_MS } from '../schedulers/command.ts'
import type { PlannedGroup } from './plan-schedulers.ts'
import { allocationsOf } from './show-plan.ts'

/** One way to ask for what a group of jobs needs: how many allocations, of how many nodes each. */
export type Strategy = {
  name: 'one-large' | 'many-small'
  allocations: number
  nodes: number
  walltimeSeconds: number
  /** When Slurm would start an allocation like that now; epoch milliseconds. Absent where it was not asked or does not say. */
  startMs?: number
  /** Slurm's words where it would refuse one. */
  trouble?: string
}

/** The two ways for a group: all nodes in one allocation, or as many allocations of their own. The same when one node is enough. */
export function strategiesOf(group: PlannedGroup, mostNodes: number): Strategy[] {
  const { nodes } = group.scheduler
  const walltimeSeconds = parseWalltime(group.scheduler.walltime) ?? group.walltimeSeconds
  const allocations = allocationsOf(group)
  const small: Strategy = { name: 'many-small', allocations, nodes, walltimeSeconds }
  if (nodes > 1 || allocations === 1) return [small]
  const together = Math.min(allocations, mostNodes)
  return [
    small,
    { name: 'one-large', allocations: Math.ceil(allocations / together), nodes: together, walltimeSeconds },
  ]
}

const PREDICTION = /to start at (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)/

/** The moment in `sbatch: Job 12 to start at 2026-11-21T18:00:00 …`, which is local time; undefined for other words. */
export function parsePrediction(text: string): number | undefined {
  const moment = PREDICTION.exec(text)?.[1]
  return moment === undefined ? undefined : Date.parse(moment)
}

/** Asks Slurm when it would start one allocation of a strategy; nothing is submitted. */
export async function predictStart(
  strategy: Strategy,
  { scheduler }: PlannedGroup,
  run: CommandRunner,
): Promise<Pick<Strategy, 'startMs' | 'trouble'>> {
  const minutes = Math.ceil(strategy.walltimeSeconds / 60)
  const argv: [string, ...string[]] = [
    'sbatch',
    '--test-only',
    `--account=${scheduler.account}`,
    `--partition=${scheduler.partition}`,
    `--nodes=${strategy.nodes}`,
    `--time=${minutes}`,
    ...(scheduler.gres === undefined ? [] : [`--gres=${scheduler.gres}`]),
    ...(scheduler.mem === undefined ? [] : [`--mem=${scheduler.mem}`]),
    ...(scheduler.extra === undefined ? [] : [scheduler.extra]),
    '--wrap=true',
  ]
  const result = await run(argv, { timeoutMs: SUBMIT_TIMEOUT_MS })
  if (result.kind !== 'exited') return { trouble: result.message }
  const words = result.stderr.trim()
  if (result.code !== 0) return { trouble: words.split('\n')[0] }
  return { startMs: parsePrediction(words) }
}

/** The strategy under which all work is over first; without predictions many small ones, which fill gaps in the queue. */
export function recommend(strategies: readonly Strategy[]): Strategy {
  const usable = strategies.filter(one => one.trouble === undefined)
  const [first, ...others] = usable.length > 0 ? usable : strategies
  let best = first!
  for (const one of others) {
    if (one.startMs !== undefined && best.startMs !== undefined && one.startMs < best.startMs) best = one
  }
  return best
}
