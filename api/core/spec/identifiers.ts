import type { SpecContext } from './env.ts'
import type { FileExpansion } from './files.ts'
import { placeOf } from './schema.ts'
import type { ExpandedJob } from './types.ts'

/** Ids that the provenance record gives to things of its own. */
const RESERVED_PREFIXES = ['#torc-', '#software-', '#job-']
const RESERVED_IDS = ['ro-crate-metadata.json', './']

/** Reports identifiers of files that cannot be the stable id of an input in the provenance record. */
export function checkIdentifiers(
  { files, objects }: FileExpansion,
  jobs: readonly ExpandedJob[],
  isRecorded: boolean,
  { report }: SpecContext,
): void {
  const given = files.flatMap(({ identifier }, index) => (identifier === undefined ? [] : { identifier, index }))
  if (given.length === 0) return
  const inputs = new Set(jobs.flatMap(job => job.inputFiles))
  const outputs = new Set(jobs.flatMap(job => job.outputFiles))
  const fileOfPath = new Map(files.map(({ path }, index) => [path, index]))
  const seen = new Set<string>()

  const problemOf = (identifier: string, index: number): string | undefined => {
    if (!isRecorded) return 'an identifier needs enable_ro_crate: true'
    if (identifier.trim() === '') return 'an identifier must not be blank'
    if (seen.has(identifier)) return `"${identifier}" identifies another file already`
    if ((fileOfPath.get(identifier) ?? index) !== index) return `"${identifier}" is the path of another file`
    const isReserved =
      RESERVED_IDS.includes(identifier) || RESERVED_PREFIXES.some(prefix => identifier.startsWith(prefix))
    if (isReserved) return `"${identifier}" is kept for the record itself`
    if (outputs.has(index)) return 'only inputs have an identifier, and a job writes this file'
    if (!inputs.has(index) && files[index]!.stMtime === undefined)
      return 'only inputs have an identifier, and no job reads this file'
    return undefined
  }

  for (const { identifier, index } of given) {
    const problem = problemOf(identifier, index)
    if (problem) report.error('bad_identifier', placeOf(objects[index]!, 'identifier'), problem)
    seen.add(identifier)
  }
}
