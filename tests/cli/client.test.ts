import { describe, expect, test } from 'vitest'
import type { Incoming, Outgoing, Transport } from '../../runner/client/transport.ts'
import { createClient } from '../../runner/client.ts'

/** Answers from a script; an Error in it means that no reply comes. */
function scripted(...replies: (Incoming | Error)[]): Transport & { sent: Outgoing[] } {
  const sent: Outgoing[] = []
  return {
    sent,
    async send(request) {
      sent.push(request)
      const reply = replies[Math.min(sent.length, replies.length) - 1]!
      if (reply instanceof Error) throw reply
      return reply
    },
    async close() {},
  }
}

const OK = { status: 200, text: '{"id":7}' }
const BUSY = { status: 503, text: '{"error":{"error":"Busy","message":"try later"}}', retryAfter: '2' }

function patient(transport: Transport, attempts?: number) {
  const pauses: number[] = []
  const sleep = async (ms: number) => void pauses.push(ms)
  return { client: createClient(transport, { token: 'secret', attempts, sleep, random: () => 1 }), pauses }
}

describe('createClient() request', () => {
  test('sends JSON with the token and gives the value', async () => {
    const transport = scripted(OK)
    const { client } = patient(transport)
    expect(await client.request('POST', '/workflows', { name: 'a' })).toEqual({
      ok: true,
      status: 200,
      value: { id: 7 },
    })
    expect(transport.sent[0]).toMatchObject({
      method: 'POST',
      path: '/workflows',
      body: '{"name":"a"}',
      headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
    })
  })

  test('gives the code and message of an error as data', async () => {
    const text = '{"error":{"error":"Conflict","code":"lost_claim","message":"claimed by another"}}'
    const { client } = patient(scripted({ status: 409, text }))
    expect(await client.request('GET', '/x')).toMatchObject({
      ok: false,
      status: 409,
      code: 'lost_claim',
      message: 'claimed by another',
    })
  })

  test('gives the first line of an error that is plain text', async () => {
    const { client } = patient(scripted({ status: 401, text: 'Unauthorized\nsecond' }))
    expect(await client.request('GET', '/x')).toMatchObject({ code: 'http_401', message: 'Unauthorized' })
  })

  test('calls a success that is not JSON a bad reply', async () => {
    const { client } = patient(scripted({ status: 200, text: '<html>' }))
    expect(await client.request('GET', '/x')).toMatchObject({ ok: false, code: 'bad_reply' })
  })

  test('repeats a GET whose reply never came, with doubling pauses', async () => {
    const transport = scripted(new Error('reset'), new Error('reset'), OK)
    const { client, pauses } = patient(transport)
    expect(await client.request('GET', '/x')).toMatchObject({ ok: true })
    expect(pauses).toEqual([200, 400])
  })

  test('waits as long as the server asks', async () => {
    const { client, pauses } = patient(scripted(BUSY, OK))
    expect(await client.request('GET', '/x')).toMatchObject({ ok: true })
    expect(pauses).toEqual([2000])
  })

  test('leaves a long wait to the caller and says how long it is', async () => {
    const { client, pauses } = patient(scripted({ ...BUSY, retryAfter: '60' }))
    expect(await client.request('GET', '/x')).toMatchObject({ ok: false, retryAfterMs: 60_000 })
    expect(pauses).toEqual([])
  })

  test('gives up after its attempts and names the cause', async () => {
    const transport = scripted(new Error('connect ECONNREFUSED'))
    const { client } = patient(transport, 2)
    expect(await client.request('GET', '/x')).toEqual({ ok: false, code: 'no_reply', message: 'connect ECONNREFUSED' })
    expect(transport.sent).toHaveLength(2)
  })

  test('never repeats a POST that is not marked as repeatable', async () => {
    const transport = scripted(new Error('reset'), OK)
    const { client } = patient(transport)
    expect(await client.request('POST', '/workflows', {})).toMatchObject({ ok: false, code: 'no_reply' })
    expect(transport.sent).toHaveLength(1)
  })

  test('repeats a POST that is marked as repeatable', async () => {
    const { client } = patient(scripted(new Error('reset'), OK))
    expect(await client.request('POST', '/claims', {}, { repeatable: true })).toMatchObject({ ok: true })
  })

  test.each([400, 404, 409, 422, 500])('does not repeat after status %i', async status => {
    const transport = scripted({ status, text: '{}' })
    const { client } = patient(transport)
    expect(await client.request('GET', '/x')).toMatchObject({ ok: false, status })
    expect(transport.sent).toHaveLength(1)
  })
})
