import { expect, test } from 'vitest'
import type { Client, Reply } from '../../runner/client.ts'
import { checkServerVersion, judgeServer } from '../../runner/server-version.ts'
import { VERSION } from '../../runner/version.ts'

const URL = 'http://login1:8080/v1'
const judge = (version: string, own = '0.4.1') => judgeServer(`1.0.0 (headrace ${version})`, URL, own)

test.each(['0.3.0', '0.4.0', '0.4.1', '0.5.0', '0.12.3-rc.1', 'dev', '0.0.0-test'])(
  'judgeServer() works with %s',
  version => {
    expect(judge(version)).toBeUndefined()
  },
)

test('judgeServer() works with the server of the same version, whatever that is', () => {
  expect(judge(VERSION, VERSION)).toBeUndefined()
})

test.each([
  ['0.2.9', 'older than this runner: it has Headrace 0.2.9, and runner 0.4.1 needs 0.3.0 at least; update the server'],
  [
    '1.0.0',
    'newer than this runner: it has Headrace 1.0.0, and runner 0.4.1 knows those before 1.0.0; update the runner',
  ],
])('judgeServer() says what is the matter with %s, and what to do', (version, words) => {
  expect(judge(version)).toBe(`Cannot run at ${URL} as the server is ${words}`)
})

test('judgeServer() tells another server of the same contract', () => {
  expect(judgeServer('1.0.0 (0123abc)', URL, '0.4.1')).toContain('no Headrace server')
})

test.each<[string, Reply<unknown>]>([
  ['refuses', { ok: false, status: 401, code: 'unauthorized', message: 'no' }],
  ['does not answer', { ok: false, code: 'no_reply', message: 'gone' }],
  ['says something else', { ok: true, status: 200, value: { version: 3 } }],
  ['says nothing', { ok: true, status: 200, value: null }],
])('checkServerVersion() leaves it to other answers when the server %s', async (_, reply) => {
  const client = { request: async () => reply, close: async () => {} } as unknown as Client
  expect(await checkServerVersion(client, URL, '0.4.1')).toBeUndefined()
})
