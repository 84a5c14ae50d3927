import { expect, it } from 'vitest'
import { scopesFor, TOKEN_SCOPES } from '../../api/core/token-scopes.ts'
import { OPERATIONS } from '../../api/openapi/operations/all.ts'

const wordsFor = (method: string, path: string) => scopesFor(method, path).join(' ')

it.each([
  ['GET', '/workflows', 'read write claim admin'],
  ['HEAD', '/jobs/3', 'read write claim admin'],
  ['POST', '/workflows', 'write admin'],
  ['DELETE', '/compute_nodes/3', 'write admin'],
  ['POST', '/compute_nodes', 'write claim admin'],
  ['POST', '/compute_nodes/3/heartbeat', 'claim admin'],
  ['POST', '/workflows/3/claim_next_jobs', 'claim admin'],
  ['POST', '/workflows/3/claim_jobs_based_on_resources/5', 'claim admin'],
  ['POST', '/workflows/3/batch_complete_jobs', 'claim admin'],
  ['POST', '/workflows/3/tokens', 'claim admin'],
  ['POST', '/claims', 'claim admin'],
  ['POST', '/claims/heartbeat', 'claim admin'],
  ['POST', '/pipe_runs/3/runners', 'write claim admin'],
  ['POST', '/webhooks', 'admin'],
  ['PUT', '/jobs/3/start_job/0/1', 'claim admin'],
  ['POST', '/jobs/3/complete_job/completed/0', 'claim admin'],
  ['POST', '/jobs/3/spawn_jobs', 'write admin'],
  ['PUT', '/user_data/3', 'write claim admin'],
  ['GET', '/tokens', 'admin'],
  ['GET', '/admin/audit-log', 'admin'],
  ['GET', '/access_groups', 'read write claim admin'],
  ['POST', '/access_groups', 'admin'],
])('scopesFor() says for %s %s: %s', (method, path, words) => {
  expect(wordsFor(method, path)).toBe(words)
})

it('scopesFor() lets admin do every operation there is, and gives nothing that changes something to read', () => {
  for (const { method, path } of OPERATIONS) {
    const filled = path.replace(/\{\w+\}/g, '1')
    expect(scopesFor(method.toUpperCase(), filled), path).toContain('admin')
    if (method !== 'get') expect(scopesFor(method.toUpperCase(), filled), path).not.toContain('read')
  }
  expect(TOKEN_SCOPES).toEqual(['read', 'write', 'claim', 'admin'])
})
