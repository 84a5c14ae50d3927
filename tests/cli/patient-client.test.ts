import { expect, test } from 'vitest'
import { createPatientClient } from '../../runner/client/patient-client.ts'
import type { Refusal, Reply } from '../../runner/client/reply.ts'

const OK: Reply<object> = { ok: true, status: 200, value: {} }
const RESET: Refusal = { ok: false, code: 'no_reply', message: 'read ECONNRESET' }
const UNREACHED: Refusal = { ok: false, code: 'no_reply', message: 'connect ECONNREFUSED', neverSent: true }
const BROKEN: Refusal = { ok: false, status: 500, code: 'http_500', message: 'status 500' }

/** A patient client over replies, the last of which comes again and again; its time passes by sleeping. */
function overReplies(...replies: Reply<object>[]) {
  let now = 0
  let asked = 0
  const reply = () => replies[Math.min(asked++, replies.length - 1)]!
  const client = createPatientClient(
    { request: async <T>() => reply() as Reply<T>, close: async () => {} },
    {
      now: () => now,
      sleep: async ms => {
        now += ms
      },
    },
  )
  return { client, asked: () => asked, seconds: () => now / 1000 }
}

test('waits for a control plane that has answered before', async () => {
  const { client, asked } = overReplies(OK, ...Array<Refusal>(50).fill(RESET), OK)
  await client.request('GET', '/version')
  expect(await client.request('GET', '/x')).toEqual(OK)
  expect(asked()).toBe(52)
})

test('gives up after half a minute, and much sooner one that never answered', async () => {
  const known = overReplies(OK, RESET)
  await known.client.request('GET', '/version')
  expect(await known.client.request('GET', '/x')).toEqual(RESET)
  expect(known.seconds()).toBe(30)
  const unknown = overReplies(UNREACHED)
  expect(await unknown.client.request('GET', '/version')).toEqual(UNREACHED)
  expect(unknown.seconds()).toBe(2)
})

test('sends a POST again only when it may be repeated or cannot have arrived', async () => {
  const lost = overReplies(RESET, OK)
  expect(await lost.client.request('POST', '/workflows', {})).toEqual(RESET)
  expect(await overReplies(RESET, OK).client.request('POST', '/claims', {}, { repeatable: true })).toEqual(OK)
  expect(await overReplies(UNREACHED, OK).client.request('POST', '/workflows', {})).toEqual(OK)
})

test('an answer is an answer, whatever it says', async () => {
  const { client, asked } = overReplies(BROKEN, OK)
  expect(await client.request('GET', '/x')).toEqual(BROKEN)
  expect(asked()).toBe(1)
})
