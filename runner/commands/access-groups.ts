import type { Client } from '../client.ts'
import { cannotRun } from '../command-line/error.ts'
import { idFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb, type Entry, entryFor, type Group } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import { showRow, showRows } from '../nouns/show.ts'
import { expectValue, formatOf, listAll, withControlPlane } from './ask.ts'

export type AccessGroup = { id: number; name: string; description?: string; created_at: string }

export const GROUPS = { many: 'access groups', columns: ['id', 'name', 'description', 'created_at'] } as const
export const GROUP = {
  group: { type: 'positional', required: true, valueHint: 'GROUP', description: 'id or name of the access group' },
} as const

/** The id of the group a command is about. Only administrators can list groups, so others have to give the id. */
export async function groupId({ client, where }: ControlPlane, text: string): Promise<number> {
  if (/^\d+$/.test(text)) return idFlag('the id of the access group', text)
  const found = (await listGroups(client, where)).find(group => group.name === text)
  if (found !== undefined) return found.id
  throw cannotRun(
    `Cannot find an access group named ${text} in ${where}: runner access-groups list shows those there are`,
  )
}

const listGroups = (client: Client, where: string): Promise<AccessGroup[]> =>
  listAll<AccessGroup>(client, '/access_groups', 'list the access groups', where)

const list = defineVerb({
  about: 'List all access groups.',
  args: { ...FORMAT, ...CONTROL_PLANE },
  examples: ['access-groups list'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async ({ client, where }) => {
      showRows(GROUPS, await listGroups(client, where), format)
      return 0
    })
  },
})

const get = defineVerb({
  about: 'Show one access group.',
  args: { ...GROUP, ...FORMAT, ...CONTROL_PLANE },
  examples: ['access-groups get hydrology'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await groupId(controlPlane, args.group)
      const reply = await client.request<AccessGroup>('GET', `/access_groups/${id}`)
      showRow(expectValue(reply, `show access group ${args.group}`, where), format)
      return 0
    })
  },
})

const create = defineVerb({
  about: 'Make an access group, empty at first.',
  args: {
    name: { type: 'positional', required: true, valueHint: 'NAME', description: 'name of the group' },
    description: { type: 'string', valueHint: 'TEXT', description: 'what the group is for' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['access-groups create hydrology --description "river models"'],
  async run(args) {
    const format = formatOf(args.format)
    const { name, description } = args
    return withControlPlane(args, async ({ client, where }) => {
      const reply = await client.request<AccessGroup>('POST', '/access_groups', { name, description })
      const group = expectValue(reply, `create access group ${name}`, where)
      if (format === 'json') printJson(group)
      else print(`Created access group ${group.id}: ${group.name}.`)
      return 0
    })
  },
})

const remove = defineVerb({
  about: 'Delete an access group; workflows that were shared with it are no longer.',
  args: { ...GROUP, ...FORMAT, ...CONTROL_PLANE },
  examples: ['access-groups delete hydrology'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await groupId(controlPlane, args.group)
      const reply = await client.request<AccessGroup>('DELETE', `/access_groups/${id}`)
      const group = expectValue(reply, `delete access group ${args.group}`, where)
      if (format === 'json') printJson(group)
      else print(`Deleted access group ${group.id}: ${group.name}.`)
      return 0
    })
  },
})

/** The verbs that name members or workflows live in files of their own; here they are only listed. */
const membersVerb = (name: 'members' | 'addUser' | 'removeUser' | 'listUserGroups', about: string): Entry => ({
  about,
  load: async () => ({ default: (await import('./access-group-members.ts'))[name] }),
})
const workflowsVerb = (name: 'addWorkflow' | 'removeWorkflow' | 'listWorkflowGroups', about: string): Entry => ({
  about,
  load: async () => ({ default: (await import('./access-group-workflows.ts'))[name] }),
})

const group: Group = {
  about: 'Groups of users with whom workflows are shared, where a server enforces access control.',
  verbs: {
    list: entryFor(list),
    create: entryFor(create),
    get: entryFor(get),
    delete: entryFor(remove),
    members: membersVerb('members', 'list who is in an access group'),
    'add-user': membersVerb('addUser', 'put a user into an access group'),
    'remove-user': membersVerb('removeUser', 'take a user out of an access group'),
    'list-user-groups': membersVerb('listUserGroups', 'list the access groups of a user'),
    'add-workflow': workflowsVerb('addWorkflow', 'share a workflow with an access group'),
    'remove-workflow': workflowsVerb('removeWorkflow', 'share a workflow with an access group no longer'),
    'list-workflow-groups': workflowsVerb('listWorkflowGroups', 'list the access groups of a workflow'),
  },
}
export default group
