import type { SpecContext } from './env.ts'
import type { Expandable } from './parameters.ts'
import { keyPlaceOf } from './schema.ts'

/** Characters of all copies together; a long value put into a million commands would fill the memory. */
export const TEXT_BUDGET = 256 * 2 ** 20

/** Takes the characters of one copy from what the file may use; reports the entry that went beyond and says no. */
export function spendText(characters: number, entry: Expandable, { texts, report }: SpecContext): boolean {
  texts.left -= characters
  if (texts.left >= 0) return true
  report.error(
    'bad_parameter',
    keyPlaceOf(entry, 'parameters'),
    'the texts of all copies are too long together',
    'split the workflow',
  )
  return false
}
