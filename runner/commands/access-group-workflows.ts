import { CONTROL_PLANE, FORMAT, NAMED_WORKFLOW, WORKFLOW } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { showRows } from '../nouns/show.ts'
import { type AccessGroup, GROUP, GROUPS, groupId } from './access-groups.ts'
import { expectValue, formatOf, listAll, withControlPlane, workflowId } from './ask.ts'

type Link = { workflow_id: number; group_id: number; created_at: string }

export const addWorkflow = defineVerb({
  about: 'Share a workflow with an access group: its members may then do with it what its owner may.',
  args: { ...GROUP, ...NAMED_WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['access-groups add-workflow hydrology 3'],
  async run(args) {
    return changeLink(args, 'POST', (id, group) => `Shared workflow ${id} with access group ${group}.`)
  },
})

export const removeWorkflow = defineVerb({
  about: 'Share a workflow with an access group no longer.',
  args: { ...GROUP, ...NAMED_WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['access-groups remove-workflow hydrology 3'],
  async run(args) {
    return changeLink(args, 'DELETE', (id, group) => `Workflow ${id} is no longer shared with access group ${group}.`)
  },
})

export const listWorkflowGroups = defineVerb({
  about: 'List the access groups of a workflow. Without an id: the newest workflow.',
  args: { ...WORKFLOW, ...FORMAT, ...CONTROL_PLANE },
  examples: ['access-groups list-workflow-groups 3'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const path = `/workflows/${id}/access_groups`
      const doing = `list the access groups of workflow ${id}`
      showRows(GROUPS, await listAll<AccessGroup>(controlPlane.client, path, doing, controlPlane.where), format)
      return 0
    })
  },
})

type Args = Parameters<typeof withControlPlane>[0] & { group: string; workflow: string; format?: string }

/** Links or unlinks and says what is so now. */
function changeLink(args: Args, method: 'POST' | 'DELETE', sayDone: (id: number, group: number) => string) {
  const format = formatOf(args.format)
  return withControlPlane(args, async controlPlane => {
    const group = await groupId(controlPlane, args.group)
    const id = await workflowId(controlPlane, args.workflow)
    const doing = `change the access groups of workflow ${id}`
    const reply = await controlPlane.client.request<Link>(method, `/workflows/${id}/access_groups/${group}`)
    const link = expectValue(reply, doing, controlPlane.where)
    if (format === 'json') printJson(link)
    else print(sayDone(id, group))
    return 0
  })
}
