import { usageError } from '../command-line/error.ts'

const JOBS = /^(?:(\d+)(%)?|([+-])(\d+))$/

/** How many jobs run at once: a number, 0 for all of them, a share of the cores, or some more or fewer than those. */
export function parseSlots(text: string | undefined, cores: number, jobs: number): number {
  if (text === undefined) return cores
  const [, number, percent, sign, difference] = JOBS.exec(text) ?? []
  if (number !== undefined && percent === undefined) return Number(number) || Math.max(1, jobs)
  if (number !== undefined) return Math.max(1, Math.floor((cores * Number(number)) / 100))
  if (sign !== undefined) return Math.max(1, cores + Number(`${sign}${difference}`))
  throw usageError(`Cannot read --jobs as it must be a number, 0, 50%, +1 or -1: current value is ${text || '(empty)'}`)
}
