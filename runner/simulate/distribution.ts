import { usageError } from '../command-line/error.ts'
import { fractionOf } from '../random.ts'

/** How long simulated jobs take, in seconds. Without numbers of its own a distribution takes each job's `runtime`. */
export type Distribution =
  | { kind: 'fixed'; seconds?: number }
  | { kind: 'uniform'; from?: number; to?: number }
  | { kind: 'exponential'; mean?: number }
  | { kind: 'lognormal'; median?: number; sigma?: number }

/** A spread that computations often show: two of three jobs take between 0.6 and 1.6 times the median. */
const USUAL_SIGMA = 0.5

const KINDS = ['fixed', 'uniform', 'exponential', 'lognormal'] as const
const NUMBER = '(\\d+\\.?\\d*|\\.\\d+)'
const FORMS: Record<Distribution['kind'], RegExp> = {
  fixed: new RegExp(`^${NUMBER}$`),
  uniform: new RegExp(`^${NUMBER}\\.\\.${NUMBER}$`),
  exponential: new RegExp(`^${NUMBER}$`),
  lognormal: new RegExp(`^${NUMBER}(?:,${NUMBER})?$`),
}

/** Reads `fixed=0.1`, `uniform=0.1..0.5`, `exponential=0.2`, `lognormal=0.2,0.5`, or the name alone. Throws a usage error. */
export function parseDistribution(text: string): Distribution {
  const [name, ...rest] = text.split('=')
  const kind = KINDS.find(known => known === name)
  const given = rest.length === 0 || kind === undefined ? null : FORMS[kind].exec(rest.join('='))
  if (kind === undefined || (rest.length > 0 && given === null)) throw unreadable(text)
  const [first, second] = (given ?? []).slice(1).map(part => (part === undefined ? undefined : Number(part)))
  switch (kind) {
    case 'fixed':
      return { kind, seconds: first }
    case 'uniform':
      if (first !== undefined && first > second!) throw unreadable(text)
      return { kind, from: first, to: second }
    case 'exponential':
      return { kind, mean: first }
    case 'lognormal':
      return { kind, median: first, sigma: second }
  }
}

const unreadable = (text: string) =>
  usageError(
    `Cannot read --simulate-time as it must be fixed=SECONDS, uniform=FROM..TO, exponential=MEAN, lognormal=MEDIAN,SIGMA or one of the names alone: current value is ${text || '(empty)'}`,
  )

/** The seconds of one attempt of a job; the same seed and attempt give the same. */
export function secondsOf(
  distribution: Distribution,
  { runtimeSeconds, attempt, seed }: { runtimeSeconds: number; attempt: string; seed: number },
): number {
  const random = fractionOf(seed, `time ${attempt}`)
  switch (distribution.kind) {
    case 'fixed':
      return distribution.seconds ?? runtimeSeconds
    case 'uniform': {
      const { from = runtimeSeconds / 2, to = 1.5 * runtimeSeconds } = distribution
      return from + (to - from) * random
    }
    case 'exponential':
      return -Math.log(1 - random) * (distribution.mean ?? runtimeSeconds)
    case 'lognormal': {
      // Box and Muller's way from two even numbers to a normal one.
      const angle = 2 * Math.PI * fractionOf(seed, `angle ${attempt}`)
      const normal = Math.sqrt(-2 * Math.log(1 - random)) * Math.cos(angle)
      return (distribution.median ?? runtimeSeconds) * Math.exp((distribution.sigma ?? USUAL_SIGMA) * normal)
    }
  }
}
