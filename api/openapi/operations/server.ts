import { NewAccessGroup, NewMembership } from '../../contract/access-group.ts'
import { AdminSqlRequest, API_STATS_QUERY } from '../../contract/admin.ts'
import { groupListOf, listOf } from '../models/common.ts'
import {
  AccessCheck,
  AccessGroupModel,
  AdminSqlResult,
  ApiStats,
  AuditLogEntry,
  MembershipModel,
  Ping,
  ReloadedAuth,
  Version,
  WorkflowAccessGroup,
} from '../models/resources.ts'
import { type Operation, tagged } from '../operation.ts'

const server = tagged('server')
const groups = tagged('access groups')

const OFFSET_PAGING = { offset: 'integer', limit: 'integer' } as const

/** Operations on the server itself, and on who may do what. */
export const SERVER_OPERATIONS: readonly Operation[] = [
  server('get', '/ping', 'ping', 'Tells that the server is there', { reply: Ping }),
  server('get', '/version', 'get_version', 'Tells what the server is', { reply: Version }),
  server('post', '/admin/reload-auth', 'reload_auth', 'Reads the password file again', { reply: ReloadedAuth }),
  server('post', '/admin/sql', 'admin_sql', 'Reads the database by a statement', {
    body: AdminSqlRequest,
    reply: AdminSqlResult,
  }),
  server('get', '/admin/audit-log', 'list_admin_audit_log', 'Lists what administrators have asked', {
    query: OFFSET_PAGING,
    reply: listOf(AuditLogEntry),
  }),
  server('get', '/admin/api-stats', 'get_api_stats', 'Counts the requests of the last hour', {
    query: API_STATS_QUERY,
    reply: ApiStats,
  }),

  groups('get', '/access_groups', 'list_access_groups', 'Lists them', {
    query: OFFSET_PAGING,
    reply: groupListOf(AccessGroupModel),
  }),
  groups('post', '/access_groups', 'create_access_group', 'Creates one', {
    body: NewAccessGroup,
    creates: true,
    reply: AccessGroupModel,
  }),
  groups('get', '/access_groups/{id}', 'get_access_group', 'Shows one', { reply: AccessGroupModel }),
  groups('delete', '/access_groups/{id}', 'delete_access_group', 'Deletes one', { reply: AccessGroupModel }),
  groups('get', '/access_groups/{id}/members', 'list_group_members', 'Lists who is in it', {
    query: OFFSET_PAGING,
    reply: groupListOf(MembershipModel),
  }),
  groups('post', '/access_groups/{id}/members', 'add_user_to_group', 'Adds a user', {
    body: NewMembership,
    creates: true,
    reply: MembershipModel,
  }),
  groups('delete', '/access_groups/{id}/members/{user_name}', 'remove_user_from_group', 'Removes a user', {
    reply: MembershipModel,
  }),
  groups('get', '/users/{user_name}/groups', 'list_user_groups', 'Lists the groups of a user', {
    query: OFFSET_PAGING,
    reply: groupListOf(AccessGroupModel),
  }),
  groups('get', '/workflows/{id}/access_groups', 'list_workflow_groups', 'Lists the groups of a workflow', {
    query: OFFSET_PAGING,
    reply: groupListOf(AccessGroupModel),
  }),
  groups('post', '/workflows/{id}/access_groups/{group_id}', 'add_workflow_to_group', 'Lets a group in', {
    reply: WorkflowAccessGroup,
  }),
  groups('delete', '/workflows/{id}/access_groups/{group_id}', 'remove_workflow_from_group', 'Shuts a group out', {
    reply: WorkflowAccessGroup,
  }),
  groups('get', '/access_check/{workflow_id}/{user_name}', 'check_workflow_access', 'Tells whether a user may', {
    reply: AccessCheck,
  }),
]
