import { wordFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { showRows } from '../nouns/show.ts'
import { callerName } from '../user.ts'
import { type AccessGroup, GROUP, GROUPS, groupId } from './access-groups.ts'
import { expectValue, formatOf, listAll, withControlPlane } from './ask.ts'

type Member = { id: number; group_id: number; user_name: string; role: string; created_at: string }

const MEMBERS = { many: 'members', columns: ['user_name', 'role', 'created_at'] } as const
const ROLES = ['member', 'admin'] as const
const USER = {
  user: { type: 'positional', required: true, valueHint: 'USER', description: 'name of the user' },
} as const

export const members = defineVerb({
  about: 'List who is in an access group.',
  args: { ...GROUP, ...FORMAT, ...CONTROL_PLANE },
  examples: ['access-groups members hydrology'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const id = await groupId(controlPlane, args.group)
      const doing = `list the members of access group ${args.group}`
      const path = `/access_groups/${id}/members`
      showRows(MEMBERS, await listAll<Member>(controlPlane.client, path, doing, controlPlane.where), format)
      return 0
    })
  },
})

export const addUser = defineVerb({
  about: 'Put a user into an access group.',
  args: {
    ...GROUP,
    ...USER,
    role: {
      type: 'string',
      valueHint: 'member|admin',
      description: 'member (default), or admin, who may add and remove others',
    },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['access-groups add-user hydrology ben', 'access-groups add-user hydrology ada --role admin'],
  async run(args) {
    const format = formatOf(args.format)
    const role = wordFlag('--role', args.role, ROLES) ?? 'member'
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await groupId(controlPlane, args.group)
      const body = { group_id: id, user_name: args.user, role }
      const reply = await client.request<Member>('POST', `/access_groups/${id}/members`, body)
      const member = expectValue(reply, `add ${args.user} to access group ${args.group}`, where)
      if (format === 'json') printJson(member)
      else print(`Added ${member.user_name} to access group ${id} as ${member.role}.`)
      return 0
    })
  },
})

export const removeUser = defineVerb({
  about: 'Take a user out of an access group.',
  args: { ...GROUP, ...USER, ...FORMAT, ...CONTROL_PLANE },
  examples: ['access-groups remove-user hydrology ben'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await groupId(controlPlane, args.group)
      const path = `/access_groups/${id}/members/${encodeURIComponent(args.user)}`
      const doing = `remove ${args.user} from access group ${args.group}`
      const member = expectValue(await client.request<Member>('DELETE', path), doing, where)
      if (format === 'json') printJson(member)
      else print(`Removed ${member.user_name} from access group ${id}.`)
      return 0
    })
  },
})

export const listUserGroups = defineVerb({
  about: 'List the access groups of a user.',
  args: {
    user: { type: 'positional', required: false, valueHint: 'USER', description: 'name of the user (default: you)' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['access-groups list-user-groups', 'access-groups list-user-groups ben'],
  async run(args) {
    const format = formatOf(args.format)
    const user = args.user ?? callerName()
    return withControlPlane(args, async ({ client, where }) => {
      const path = `/users/${encodeURIComponent(user)}/groups`
      showRows(GROUPS, await listAll<AccessGroup>(client, path, `list the access groups of ${user}`, where), format)
      return 0
    })
  },
})
