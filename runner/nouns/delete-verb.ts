import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJsonList } from '../command-line/output.ts'
import { defineVerb, type Verb } from '../command-line/verb.ts'
import { expectValue, formatOf, withControlPlane } from '../commands/ask.ts'
import { checkId, findItem, idArgument, workflowOption } from './item.ts'
import type { Noun, Row } from './noun.ts'

/** `runner files delete ID…`: for good. Stops at the first that cannot be deleted. */
export function deleteVerb(noun: Noun): Verb {
  const id = idArgument(noun)
  return defineVerb({
    about: `Delete ${noun.many} for good.`,
    args: { id: { ...id, valueHint: `${id.valueHint}…` }, ...workflowOption(noun), ...FORMAT, ...CONTROL_PLANE },
    examples: [`${noun.name} delete 3`, `${noun.name} delete 3 4 5`],
    repeatsLast: true,
    async run(args) {
      const format = formatOf(args.format)
      for (const text of args._) checkId(noun, text)
      return withControlPlane(args, async controlPlane => {
        const { client, where } = controlPlane
        const deleted: Row[] = []
        for (const text of args._) {
          const { id, path } = await findItem(noun, controlPlane, text, args.workflow)
          deleted.push(expectValue(await client.request<Row>('DELETE', path), `delete ${noun.one} ${id}`, where))
          if (format === 'table') print(`Deleted ${noun.one} ${id}.`)
        }
        if (format === 'json') printJsonList(deleted)
        return 0
      })
    },
  })
}
