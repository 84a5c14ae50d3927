import type { SpecContext } from './env.ts'
import type { Expandable } from './parameters.ts'
import { keyPlaceOf } from './schema.ts'
import type { TextNode } from './tree.ts'

const OTHER_SOURCES = ['parameters', 'parameter_mode', 'use_parameters'] as const

/** Reports what stands beside a table although a table says everything, or a table that is not there. */
export function hasOtherSource(entry: Expandable, sharedTable: TextNode | undefined, { report }: SpecContext): boolean {
  const usesShared = entry.get.use_parameters_file?.value ?? false
  const key = entry.get.parameters_file ? 'parameters_file' : 'use_parameters_file'
  const other = OTHER_SOURCES.find(source => entry.entries.has(source))
  if (other) {
    report.error(
      'parameter_source',
      keyPlaceOf(entry, other),
      `"${other}" cannot stand beside "${key}"`,
      'keep one of the two',
    )
  } else if (entry.get.parameters_file && usesShared) {
    report.error(
      'parameter_source',
      keyPlaceOf(entry, 'use_parameters_file'),
      '"use_parameters_file" cannot stand beside "parameters_file"',
    )
  } else if (usesShared && !sharedTable) {
    report.error(
      'parameter_source',
      keyPlaceOf(entry, 'use_parameters_file'),
      'the file has no shared table',
      'add parameters_file at the top level',
    )
  } else return false
  return true
}
