import { checkData, toCompactJson } from './data-json.ts'
import type { SpecContext } from './env.ts'
import type { USER_DATA } from './keys.ts'
import { dropUnnamed } from './named.ts'
import { addName, createNameIndex, type NameIndex } from './names.ts'
import { describeCopy, type ParameterReader, readCopies } from './parameters.ts'
import { joinPath, placeOf, type SpecObject } from './schema.ts'
import { compileTemplate, renderTemplate, type Template } from './template.ts'
import type { ExpandedUserData } from './types.ts'

export interface UserDataExpansion {
  userData: ExpandedUserData[]
  names: NameIndex
}

/** The server keeps the state of spawned jobs under names with this prefix. */
const RESERVED_PREFIX = '__torc_lineage__'

/** Makes the copies of every user_data, in the order of the file; placeholders work in the name and in every text of the data. */
export function expandUserData(
  objects: readonly SpecObject<typeof USER_DATA>[],
  parameters: ParameterReader,
  context: SpecContext,
) {
  const expansion: UserDataExpansion = { userData: [], names: createNameIndex() }
  const { report } = context
  const named = dropUnnamed(objects, context)
  const { entries, complete } = readCopies(named, 'user_data', parameters, context)
  expansion.names.complete = complete && named.every(({ get }) => get.name)
  for (const { object, copies } of entries) {
    const { name, data, is_ephemeral: isEphemeral } = object.get
    if (!name) continue
    if (data) checkData(data, joinPath(object.path, 'data'), report)
    const nameTemplate = compileTemplate(name.value, copies.parameters)
    const templates = new Map<string, Template>()
    for (let copy = 0; copy < copies.count; copy++) {
      const finalName = renderTemplate(nameTemplate, copy)
      const place = placeOf(object, 'name')
      if (expansion.names.indexOf.has(finalName)) {
        report.error(
          'duplicate_name',
          place,
          `another user_data is already called "${finalName}"${describeCopy(copies, copy)}`,
        )
        continue
      }
      if (finalName.startsWith(RESERVED_PREFIX))
        report.error('bad_value', place, `names that start with ${RESERVED_PREFIX} are kept for spawned jobs`)
      const render = (text: string) => {
        const template = templates.get(text) ?? compileTemplate(text, copies.parameters)
        templates.set(text, template)
        return renderTemplate(template, copy)
      }
      addName(expansion.names, finalName)
      expansion.userData.push({
        name: finalName,
        data: data && toCompactJson(data, render),
        isEphemeral: isEphemeral?.value ?? false,
      })
    }
  }
  return expansion
}
