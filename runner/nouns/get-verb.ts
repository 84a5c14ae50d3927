import { cannotRun } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { defineVerb, type Verb } from '../command-line/verb.ts'
import { expectValue, formatOf, listAll, withControlPlane, workflowId } from '../commands/ask.ts'
import type { ControlPlane } from '../control-plane.ts'
import { checkId, findItem, type Item, idArgument, workflowOption } from './item.ts'
import type { Noun, Row } from './noun.ts'
import { showRow } from './show.ts'

/** `runner files get ID`: one object, whole. */
export function getVerb(noun: Noun): Verb {
  return defineVerb({
    about: `Show one ${noun.one} with all its fields.`,
    args: { id: idArgument(noun), ...workflowOption(noun), ...FORMAT, ...CONTROL_PLANE },
    examples: [`${noun.name} get 3`],
    async run(args) {
      const format = formatOf(args.format)
      checkId(noun, args.id)
      return withControlPlane(args, async controlPlane => {
        const item = await findItem(noun, controlPlane, args.id, args.workflow)
        showRow(await readRow(noun, controlPlane, item, args.workflow), format)
        return 0
      })
    },
  })
}

/** One object, whole. Throws when there is none. */
export async function readRow(
  noun: Noun,
  controlPlane: ControlPlane,
  { id, path }: Item,
  workflow: string | undefined,
): Promise<Row> {
  const { client, where } = controlPlane
  const doing = `show ${noun.one} ${id}`
  if (!noun.readFromList) return expectValue(await client.request<Row>('GET', path), doing, where)
  const owner = await workflowId(controlPlane, workflow)
  const rows = await listAll<Row>(client, noun.listPath(owner), doing, where)
  const found = rows.find(row => row.id === id)
  if (found === undefined) throw cannotRun(`Cannot ${doing}: there is none in workflow ${owner}`)
  return found
}
