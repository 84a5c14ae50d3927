import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb, type Verb } from '../command-line/verb.ts'
import { expectValue, formatOf, withControlPlane, workflowId } from '../commands/ask.ts'
import { type Fields, needFields, optionsOf, readFields } from './fields.ts'
import type { Noun, Row } from './noun.ts'

/** `runner files create [WORKFLOW] --name …`: one object more in a workflow. */
export function createVerb(noun: Noun): Verb {
  const fields: Fields = Object.fromEntries(Object.entries(noun.fields).filter(([, field]) => field.only !== 'update'))
  return defineVerb({
    about: `Add to the ${noun.many} of a workflow. Without an id: the newest workflow.`,
    args: {
      ...WORKFLOW,
      ...optionsOf(fields),
      ...FORMAT,
      ...CONTROL_PLANE,
    },
    examples: [`${noun.name} create 3 ${noun.example?.create ?? ''}`.trimEnd()],
    async run(args) {
      const format = formatOf(args.format)
      const values = readFields(fields, args)
      needFields(fields, values)
      return withControlPlane(args, async controlPlane => {
        const { client, where } = controlPlane
        const id = await workflowId(controlPlane, args.workflow)
        const path = noun.createPath?.(id) ?? noun.listPath(id)
        const reply = await client.request<Row>('POST', path, {
          workflow_id: id,
          ...(noun.newBody?.(values) ?? values),
        })
        const created = expectValue(reply, `create the ${noun.one} in workflow ${id}`, where)
        if (format === 'json') printJson(created)
        else print(`Created ${noun.one} ${created.id} in workflow ${id}.`)
        return 0
      })
    },
  })
}
