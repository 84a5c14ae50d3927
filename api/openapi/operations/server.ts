import { NewAccessGroup, NewMembership } from '../../contract/access-group.ts'
import { AdminSqlRequest, API_STATS_QUERY } from '../../contract/admin.ts'
import { MadeToken, NewRunnerToken, NewToken, Rotation, TOKEN_QUERY, Token } from '../../contract/token.ts'
import { NewWebhook, Webhook } from '../../contract/webhook.ts'
import { groupListOf, itemsOf, listOf } from '../models/common.ts'
import {
  AccessCheck,
  AccessGroupModel,
  AdminCall,
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
const tokens = tagged('tokens')
const webhooks = tagged('webhooks')

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
  server('get', '/admin/calls', 'list_admin_calls', 'Lists what was changed about the server, and by whom', {
    query: OFFSET_PAGING,
    reply: listOf(AdminCall),
  }),
  server('get', '/admin/api-stats', 'get_api_stats', 'Counts the requests of the last hour', {
    query: API_STATS_QUERY,
    reply: ApiStats,
  }),

  tokens('post', '/tokens', 'create_token', 'Makes one; only this reply holds it', {
    body: NewToken,
    reply: MadeToken,
  }),
  tokens('get', '/tokens', 'list_tokens', 'Lists them', { query: TOKEN_QUERY, reply: listOf(Token) }),
  tokens('get', '/tokens/{id}', 'get_token', 'Shows one, without its secret', { reply: Token }),
  tokens('post', '/tokens/{id}/rotate', 'rotate_token', 'Gives one another secret', {
    body: Rotation,
    bodyOptional: true,
    reply: MadeToken,
  }),
  tokens('delete', '/tokens/{id}', 'revoke_token', 'Ends one, with all that were made with it', { reply: Token }),
  webhooks(
    'post',
    '/webhooks',
    'create_webhook',
    'Tells what happens in all workflows; only this reply holds the secret',
    {
      body: NewWebhook,
      reply: Webhook,
    },
  ),
  webhooks('get', '/webhooks', 'list_webhooks', 'Lists those of all workflows', { reply: itemsOf(Webhook) }),
  webhooks('post', '/webhooks/{webhook_id}/enable', 'enable_webhook', 'Lets one that was given up try again', {
    reply: Webhook,
  }),
  webhooks('delete', '/webhooks/{webhook_id}', 'delete_webhook', 'Ends one', { reply: Webhook }),
  webhooks('post', '/workflows/{id}/webhooks', 'create_workflow_webhook', 'The same for one workflow', {
    body: NewWebhook,
    reply: Webhook,
  }),
  webhooks('get', '/workflows/{id}/webhooks', 'list_workflow_webhooks', 'Lists those of one workflow', {
    reply: itemsOf(Webhook),
  }),
  webhooks('post', '/workflows/{id}/webhooks/{webhook_id}/enable', 'enable_workflow_webhook', 'As above', {
    reply: Webhook,
  }),
  webhooks('delete', '/workflows/{id}/webhooks/{webhook_id}', 'delete_workflow_webhook', 'Ends one', {
    reply: Webhook,
  }),
  tokens('post', '/workflows/{id}/tokens', 'create_runner_token', 'Makes one for a runner or a job of this workflow', {
    body: NewRunnerToken,
    bodyOptional: true,
    reply: MadeToken,
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
