import { usageError } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb, type Verb } from '../command-line/verb.ts'
import { expectValue, formatOf, withControlPlane } from '../commands/ask.ts'
import { type Fields, optionOf, optionsOf, readFields } from './fields.ts'
import { readRow } from './get-verb.ts'
import { checkId, findItem, idArgument, workflowOption } from './item.ts'
import type { Noun, Row } from './noun.ts'

/** `runner files update ID --path …`: what is not given stays as it is. */
export function updateVerb(noun: Noun): Verb {
  const fields: Fields = Object.fromEntries(
    Object.entries(noun.fields)
      .filter(([, field]) => field.only !== 'create')
      .map(([name, field]) => [name, { ...field, required: false }]),
  )
  return defineVerb({
    about: `Change fields of one ${noun.one}; those that are not given stay as they are.`,
    args: {
      id: idArgument(noun),
      ...workflowOption(noun),
      ...optionsOf(fields),
      ...FORMAT,
      ...CONTROL_PLANE,
    },
    examples: [`${noun.name} update 3 ${noun.example?.update ?? ''}`.trimEnd()],
    async run(args) {
      const format = formatOf(args.format)
      checkId(noun, args.id)
      const given = readFields(fields, args)
      if (Object.keys(given).length === 0) {
        const known = Object.keys(fields).map(name => `--${optionOf(name)}`)
        throw usageError(`Cannot update ${noun.one} ${args.id} as nothing to change is given: ${known.join(', ')}`)
      }
      return withControlPlane(args, async controlPlane => {
        const { client, where } = controlPlane
        const item = await findItem(noun, controlPlane, args.id, args.workflow)
        // The contract replaces objects as a whole: what is left out would be cleared or fall back to its default.
        const body = noun.changeBody?.(given) ?? {
          ...(await readRow(noun, controlPlane, item, args.workflow)),
          ...given,
        }
        const reply = await client.request<Row>('PUT', item.path, body)
        const changed = expectValue(reply, `update ${noun.one} ${item.id}`, where)
        if (format === 'json') printJson(changed)
        else print(`Updated ${noun.one} ${item.id}.`)
        return 0
      })
    },
  })
}
