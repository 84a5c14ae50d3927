import { expect, test } from 'vitest'
import { authorization, proofFrom } from '../../runner/client/authorization.ts'
import { serverAddress } from '../../runner/client/server-address.ts'
import { createClient } from '../../runner/client.ts'
import { serverAccess } from '../../runner/server-access.ts'

const decoded = (header: string | undefined) => Buffer.from(header!.replace('Basic ', ''), 'base64').toString('utf8')

test('authorization() sends a token alone as Bearer, one with a user as Basic, and nothing without a proof', () => {
  expect(authorization({ token: 't' })).toEqual({ authorization: 'Bearer t' })
  expect(authorization({})).toEqual({})
  expect(authorization({ user: 'ada' })).toEqual({})
  expect(decoded(authorization({ token: 'pä:ss', user: 'ada' }).authorization)).toBe('ada:pä:ss')
})

test('proofFrom() takes the token first, then the password under the name that Torc’s clients take', () => {
  expect(proofFrom({ HEADRACE_TOKEN: 't', TORC_PASSWORD: 'p', USER: 'ada' })).toEqual({ token: 't' })
  expect(proofFrom({ TORC_PASSWORD: 'p', TORC_USERNAME: 'a', USER: 'b', USERNAME: 'c' })).toMatchObject({ user: 'a' })
  expect(proofFrom({ TORC_PASSWORD: 'p', USER: 'b', USERNAME: 'c' })).toEqual({ token: 'p', user: 'b' })
  expect(proofFrom({ TORC_PASSWORD: 'p', USERNAME: 'c' })).toEqual({ token: 'p', user: 'c' })
  expect(proofFrom({ TORC_PASSWORD: 'p' })).toEqual({ token: 'p', user: 'unknown' })
  expect(proofFrom({ HEADRACE_TOKEN: '', TORC_PASSWORD: '', USER: 'ada' })).toEqual({})
})

test('createClient() proves who calls with every request', async () => {
  const sent: Record<string, string>[] = []
  const transport = {
    send: async ({ headers }: { headers: Record<string, string> }) => {
      sent.push(headers)
      return { status: 200, text: '{}' }
    },
    close: async () => {},
  }
  const address = serverAddress({ url: 'http://h' }, { TORC_PASSWORD: 'p', USER: 'ada' })!
  const client = createClient(transport, address)
  await client.request('GET', '/ping')
  await client.request('POST', '/jobs', {})
  expect(sent.map(({ authorization }) => decoded(authorization))).toEqual(['ada:p', 'ada:p'])
})

test('serverAccess() reads the flags of a server, and the variables of Torc’s where there is no flag', () => {
  const words = ['--admin-user', 'ada', '--port', '0', '--admin-user=ben']
  expect(serverAccess({ 'auth-file': '/u', 'enforce-access-control': true }, words, {})).toMatchObject({
    authFile: '/u',
    enforce: true,
    adminUsers: ['ada', 'ben'],
  })
  const env = { TORC_AUTH_FILE: '/f', TORC_ADMIN_USERS: 'cy, dot,', TORC_CREDENTIAL_CACHE_TTL_SECS: '0' }
  expect(serverAccess({}, [], env)).toMatchObject({
    authFile: '/f',
    credentialCacheSeconds: 0,
    adminUsers: ['cy', 'dot'],
  })
  expect(serverAccess({ 'auth-file': '/u', 'credential-cache-ttl-secs': '5' }, words, env)).toMatchObject({
    authFile: '/u',
    credentialCacheSeconds: 5,
    adminUsers: ['ada', 'ben'],
  })
  expect(serverAccess({}, [], {}).adminUsers).toEqual([])
  expect(() => serverAccess({ 'credential-cache-ttl-secs': '-1' }, [], {})).toThrow('--credential-cache-ttl-secs')
})
