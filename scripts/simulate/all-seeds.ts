import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { parseSimulateOptions, type SimulateOptions, USAGE } from './options.ts'
import type { Plan } from './plan.ts'
import type { Simulated } from './simulate.ts'

/** Simulates all seeds, some side by side; the exit code is 1 when an invariant was violated, 2 when the command line was wrong. */
export async function main(words: readonly string[], program: string): Promise<number> {
  const options = parseSimulateOptions(words, availableParallelism())
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${USAGE}\n`)
    return 2
  }
  const waiting = Array.from({ length: options.seeds }, (_, index) => options.seed + index)
  let failed = 0
  const work = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      if (!(await simulateOne(seed, options, program))) failed++
    }
  }
  await Promise.all(Array.from({ length: Math.min(options.processes, options.seeds) }, work))
  process.stdout.write(`${options.seeds - failed} of ${options.seeds} seeds kept every invariant\n`)
  return failed === 0 ? 0 : 1
}

async function simulateOne(seed: number, options: SimulateOptions, program: string): Promise<boolean> {
  const plan: Plan = { seed, runners: options.runners, hours: options.hours }
  const simulated = await runProgram(program, plan)
  if (typeof simulated !== 'string' && simulated.violations.length === 0) {
    process.stdout.write(`${describe(simulated)}\n`)
    return true
  }
  const wrong = typeof simulated === 'string' ? [simulated] : simulated.violations
  const shown = wrong.slice(0, 20).map(line => `  ${line}\n`)
  process.stdout.write(`seed ${seed} violates what must hold:\n${shown.join('')}${replayOf(seed, options)}\n`)
  return false
}

const replayOf = (seed: number, { runners, hours }: SimulateOptions): string =>
  `  again: npm run simulate -- --runners ${runners} --hours ${hours} --seeds 1 --seed ${seed}`

function describe({ seed, jobs, seen, virtualHours, realSeconds }: Simulated): string {
  const { starts, accepted, duplicates, refused, salvaged, rescued, checks } = seen
  return (
    `seed ${seed}: ${jobs} jobs in ${virtualHours.toFixed(1)} h: ${starts} starts, ${accepted} completions, ${salvaged} salvaged, ` +
    `${duplicates} duplicates, ${refused} refused, ${rescued} taken back by their runners, ${checks} looks; ${realSeconds.toFixed(1)} s`
  )
}

/** What came of a seed, or the last words of a program that failed. */
function runProgram(program: string, plan: Plan): Promise<Simulated | string> {
  return new Promise(resolve => {
    execFile(process.execPath, [program, JSON.stringify(plan)], { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Simulated)
      else resolve(stderr.trim().slice(-2_000) || error.message)
    })
  })
}
