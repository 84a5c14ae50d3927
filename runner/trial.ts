import { usageError } from './command-line/error.ts'
import { countFlag } from './command-line/flags.ts'
import { describeFaults, type FaultPlan, parseFaults } from './faults/plan.ts'
import { newSeed } from './random.ts'
import type { World } from './run-trial.ts'
import { parseDistribution } from './simulate/distribution.ts'
import type { Simulation } from './simulate/simulation.ts'

/** The options of a run that is a trial: faults put in its way, and jobs that only pass time (docs/testing-faults.md). */
export const TRIAL_ARGS = {
  fault: {
    type: 'string',
    valueHint: 'NAME=CHANCE,…',
    description: 'put faults in the way of this run, such as kill-job=0.01,drop-reply=0.05 (docs/testing-faults.md)',
  },
  simulate: { type: 'boolean', description: 'run no process: jobs only pass the time they would take' },
  'simulate-time': {
    type: 'string',
    valueHint: 'DISTRIBUTION',
    description:
      "seconds of simulated jobs: fixed=S, uniform=A..B, exponential=MEAN, lognormal=MEDIAN,SIGMA; a name alone takes each job's runtime (default: fixed)",
  },
  seed: { type: 'string', valueHint: 'N', description: 'repeat the chances of an earlier --fault or --simulate' },
} as const

export type TrialFlags = { fault?: string; simulate?: boolean; 'simulate-time'?: string; seed?: string }

export type Trial = { faults?: FaultPlan; simulation?: Simulation }

/** Reads what makes a run a trial; undefined for a usual one. Throws a usage error. */
export function parseTrial({ fault, simulate, 'simulate-time': time, seed: seedText }: TrialFlags): Trial | undefined {
  const given = countFlag('--seed', seedText, 0)
  if (time !== undefined && simulate !== true)
    throw usageError('Cannot use --simulate-time without --simulate: real jobs take the time they take')
  if (fault === undefined && simulate !== true) {
    if (given === undefined) return undefined
    throw usageError('Cannot use --seed without --fault or --simulate: nothing else is left to chance')
  }
  const seed = given ?? newSeed()
  return {
    faults: fault === undefined ? undefined : { chances: parseFaults(fault), seed },
    simulation: simulate === true ? { distribution: parseDistribution(time ?? 'fixed'), seed } : undefined,
  }
}

/** The line that says what kind of run this is, and how to have it again. */
export function describeTrial({ faults, simulation }: Trial): string {
  const parts = [
    ...(simulation === undefined ? [] : ['no process runs']),
    ...(faults === undefined ? [] : [`faults: ${describeFaults(faults)}`]),
  ]
  return `A trial: ${parts.join('; ')}; --seed ${(faults ?? simulation)!.seed} gives the same chances again`
}

/** A usual run: the world as it is. */
const AS_IT_IS: World = {
  api: api => api,
  launcher: open => open,
  job: prepared => prepared,
  finaliser: execute => execute,
}

/** The world a run takes place in. */
export async function openWorld(trial: Trial | undefined): Promise<World> {
  if (trial === undefined) return AS_IT_IS
  const { openTrial } = await import('./run-trial.ts')
  return openTrial(trial)
}
