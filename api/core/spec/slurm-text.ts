import { parseMemory } from '../memory.ts'

/** A walltime without end compares as larger than every runtime. */
const UNLIMITED = ['UNLIMITED', 'INFINITE']

const DAY_FORM = /^(\d+)-(\d+)(?::(\d+))?(?::(\d+))?$/
const CLOCK_FORM = /^(\d+)(?::(\d+))?(?::(\d+))?$/

/** Reads a walltime as Slurm does: `MM`, `MM:SS`, `HH:MM:SS`, `D-HH[:MM[:SS]]`, UNLIMITED. Gives seconds, undefined for anything else. */
export function parseWalltime(text: string): number | undefined {
  const trimmed = text.trim()
  if (UNLIMITED.includes(trimmed.toUpperCase())) return Number.POSITIVE_INFINITY
  const dayForm = DAY_FORM.exec(trimmed)
  if (dayForm) {
    const [, days, hours, minutes, seconds] = dayForm
    return ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes ?? 0)) * 60 + Number(seconds ?? 0)
  }
  const clockForm = CLOCK_FORM.exec(trimmed)
  if (!clockForm) return undefined
  const [, first, second, third] = clockForm
  if (third !== undefined) return (Number(first) * 60 + Number(second)) * 60 + Number(third)
  return Number(first) * 60 + Number(second ?? 0)
}

/** Counts the GPUs of a gres text, summed over its gpu entries; undefined when it is blank, which asks for nothing in particular. */
export function parseGresGpus(text: string): number | undefined {
  if (text.trim() === '') return undefined
  let gpus = 0
  for (const entry of text.split(',')) {
    const [kind, ...rest] = entry.replace(/\(.*$/, '').trim().split(':')
    if (kind !== 'gpu') continue
    const count = rest.at(-1)
    gpus += count !== undefined && /^\d+$/.test(count) ? Number(count) : 1
  }
  return gpus
}

/** Reads a scheduler's memory: as for resource sets, but a number without unit means megabytes, as it does for Slurm. */
export function parseSlurmMemory(text: string): number | undefined {
  return parseMemory(/^\s*\+?\d+\s*$/.test(text) ? `${text.trim()}m` : text)
}
