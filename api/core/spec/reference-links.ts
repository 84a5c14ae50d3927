import type { SpecContext } from './env.ts'
import type { FileExpansion } from './files.ts'
import type { JOB } from './keys.ts'
import { nameHint } from './names.ts'
import { type Reference, referenceIndex, replaceReferences } from './references.ts'
import type { Place } from './report.ts'
import { joinPath, type SpecObject } from './schema.ts'
import { spendText } from './text-budget.ts'
import { offsetInText } from './tree.ts'
import type { ExpandedJob } from './types.ts'
import type { UserDataExpansion } from './user-data.ts'

type JobObject = SpecObject<typeof JOB>

/** The texts of a job in which references stand. */
const TEXTS = [
  { key: 'command', field: 'command' },
  { key: 'invocation_script', field: 'invocationScript' },
] as const

const DIRECTIONS = ['input', 'output']

/** Puts paths and data in for the references of a job, and links what they name. */
export function resolveReferences(
  job: ExpandedJob,
  object: JobObject,
  files: FileExpansion,
  userData: UserDataExpansion,
  context: SpecContext,
): void {
  for (const { key, field } of TEXTS) {
    const text = job[field]
    if (!text?.includes('${')) continue
    job[field] = replaceReferences(text, reference => {
      const isFile = reference.noun !== 'user_data'
      const index = findTarget(
        reference,
        isFile,
        isFile ? files : userData,
        () => placeOf(object, key, reference, context),
        context,
      )
      if (index === undefined) return undefined
      listOf(job, isFile, reference.direction === 'input').push(index)
      const inserted = isFile ? files.files[index]!.path : (userData.userData[index]!.data ?? 'null')
      return spendText(inserted.length, object, context) ? inserted : undefined
    })
  }
}

function findTarget(
  { noun, direction, name }: Reference,
  isFile: boolean,
  { names }: FileExpansion | UserDataExpansion,
  place: () => Place,
  { report }: SpecContext,
): number | undefined {
  const code = isFile ? 'unknown_file' : 'unknown_user_data'
  if (noun === 'file' || !DIRECTIONS.includes(direction)) {
    const right = isFile ? 'files' : 'user_data'
    report.error(
      code,
      place(),
      'this reference is of no known kind',
      `write \${${right}.input.NAME} or \${${right}.output.NAME}`,
    )
    return undefined
  }
  const index = names.indexOf.get(name)
  if (index === undefined && names.complete) {
    const message = `there is no ${isFile ? 'file' : 'user_data'} "${name}" to refer to`
    report.error(code, place(), message, nameHint(names, name))
  }
  return index
}

function listOf(job: ExpandedJob, isFile: boolean, isInput: boolean): number[] {
  if (isFile) return isInput ? job.inputFiles : job.outputFiles
  return isInput ? job.inputUserData : job.outputUserData
}

function placeOf(
  object: JobObject,
  key: 'command' | 'invocation_script',
  reference: Reference,
  { source }: SpecContext,
): Place {
  const path = joinPath(object.path, key)
  const node = object.get[key]
  if (!node) return { at: object.node.at, path }
  return { at: offsetInText(source, node, referenceIndex(node.value, reference.ordinal)), path }
}
