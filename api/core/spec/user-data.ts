import { type Copies, describeCopy } from './copies.ts'
import { checkData, toCompactJson } from './data-json.ts'
import type { SpecContext } from './env.ts'
import type { USER_DATA } from './keys.ts'
import { dropUnnamed } from './named.ts'
import { addName, createNameIndex, type NameIndex } from './names.ts'
import { type ParameterReader, readCopies } from './parameters.ts'
import { joinPath, placeOf, type SpecObject } from './schema.ts'
import { compileTemplate, renderTemplate, type Template } from './template.ts'
import { spendText } from './text-budget.ts'
import type { ExpandedUserData } from './types.ts'

type UserDataObject = SpecObject<typeof USER_DATA>

export interface UserDataExpansion {
  userData: ExpandedUserData[]
  names: NameIndex
}

/** The server keeps the state of spawned jobs under names with this prefix. */
const RESERVED_PREFIX = '__torc_lineage__'

/** Makes the copies of every user_data, in the order of the file; placeholders work in the name and in every text of the data. */
export function expandUserData(
  objects: readonly UserDataObject[],
  parameters: ParameterReader,
  context: SpecContext,
): UserDataExpansion {
  const { entries, complete } = readCopies(dropUnnamed(objects, context), 'user_data', parameters, context)
  const expansion: UserDataExpansion = { userData: [], names: createNameIndex() }
  expansion.names.complete = complete
  for (const { object, copies } of entries) {
    if (object.get.data) checkData(object.get.data, joinPath(object.path, 'data'), context.report)
    const makeUserData = createMaker(object, copies)
    for (let copy = 0; copy < copies.count; copy++) {
      const userData = makeUserData(copy)
      if (!isNameFree(userData.name, expansion.names, object, describeCopy(copies, copy), context)) continue
      if (!spendText(userData.name.length + (userData.data?.length ?? 0), object, context)) return expansion
      addName(expansion.names, userData.name)
      expansion.userData.push(userData)
    }
  }
  return expansion
}

function createMaker({ get }: UserDataObject, copies: Copies): (copy: number) => ExpandedUserData {
  const templates = new Map<string, Template>()
  const render = (text: string, copy: number) => {
    const template = templates.get(text) ?? compileTemplate(text, copies.parameters)
    templates.set(text, template)
    return renderTemplate(template, copy)
  }
  return copy => ({
    name: render(get.name?.value ?? '', copy),
    data: get.data && toCompactJson(get.data, text => render(text, copy)),
    isEphemeral: get.is_ephemeral?.value ?? false,
  })
}

function isNameFree(
  name: string,
  names: NameIndex,
  object: UserDataObject,
  copyText: string,
  { report }: SpecContext,
): boolean {
  const place = placeOf(object, 'name')
  if (name.startsWith(RESERVED_PREFIX)) {
    report.error('bad_value', place, `names that start with ${RESERVED_PREFIX} are kept for spawned jobs`)
  }
  if (!names.indexOf.has(name)) return true
  report.error('duplicate_name', place, `another user_data is already called "${name}"${copyText}`)
  return false
}
