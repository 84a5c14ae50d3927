import { parseDuration, suggestDuration } from '../duration.ts'
import { parseMemory, suggestMemory } from '../memory.ts'
import type { Fault, TextCheck } from './schema.ts'

/** The checks of one text or key of the workflow file that need nothing but the text itself. */

export function nonEmpty(text: string): Fault | undefined {
  return text.trim() === '' ? { message: 'this must not be empty' } : undefined
}

export function memory(text: string): Fault | undefined {
  if (parseMemory(text) !== undefined) return undefined
  const fix = suggestMemory(text)
  return {
    message: `"${text}" is no memory size`,
    hint: fix ? `write ${fix}` : 'digits and an optional unit k, m, g or t, such as 512m',
  }
}

export function duration(text: string): Fault | undefined {
  if (parseDuration(text) !== undefined) return undefined
  const fix = suggestDuration(text)
  return {
    message: `"${text}" is no duration`,
    hint: fix ? `write ${fix}` : 'ISO 8601, such as PT30M, PT1H30M or P1DT12H',
  }
}

export function envName(key: string): Fault | undefined {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return undefined
  return { message: `"${key}" is no name of a variable`, hint: 'letters, digits and _, not starting with a digit' }
}

export function srunMpi(text: string): Fault | undefined {
  if (/^[A-Za-z0-9+_.-]+$/.test(text)) return undefined
  return { message: `"${text}" is no MPI type of srun`, hint: 'letters, digits and + _ . -' }
}

/**
 * What the checks come to as regular expressions, for editors, which cannot run them. An expression lets pass what its check lets pass, and
 * perhaps a little more (numbers beyond all bounds).
 */
export const PATTERN_OF_CHECK: ReadonlyMap<TextCheck, string> = new Map([
  [nonEmpty, '\\S'],
  [memory, '^\\s*\\+?[0-9]+[kmgtKMGT]?\\s*$'],
  [
    duration,
    '^\\s*P(?:[0-9]+W|(?=[0-9T])(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?(?:T(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+(?:[.,][0-9]+)?S)?)?|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})\\s*$',
  ],
  [envName, '^[A-Za-z_][A-Za-z0-9_]*$'],
  [srunMpi, '^[A-Za-z0-9+_.-]+$'],
])
