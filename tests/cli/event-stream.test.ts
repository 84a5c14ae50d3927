import { describe, expect, test } from 'vitest'
import { parseFrame, readEventStream, type ServerEvent } from '../../runner/client/event-stream.ts'
import { serve } from './http-server.ts'

describe('parseFrame()', () => {
  test('reads type, data and id, and passes comments over', () => {
    expect(parseFrame('event: job_started\ndata: {"a":1}\nid: 7')).toEqual({
      id: '7',
      type: 'job_started',
      data: '{"a":1}',
    })
    expect(parseFrame('data:x')).toEqual({ id: undefined, type: 'message', data: 'x' })
    expect(parseFrame(': still here')).toBeUndefined()
  })
})

describe('readEventStream()', () => {
  async function read(url: string, lastEventId?: string): Promise<ServerEvent[]> {
    const events: ServerEvent[] = []
    const address = { baseUrl: `${url}/v1`, token: 'secret' }
    const { signal } = new AbortController()
    for await (const event of readEventStream(address, {}, { path: '/s', lastEventId, signal })) events.push(event)
    return events
  }

  test('joins frames that arrive in pieces, also within a character', async () => {
    const bytes = Buffer.from(': open\n\nevent: a\ndata: "é"\nid: 1\n\nevent: b\ndata: 2\n\n')
    const url = await serve(async (_, response) => {
      for (const byte of bytes) {
        response.write(Buffer.from([byte]))
        await new Promise(resolve => setImmediate(resolve))
      }
      response.end()
    })
    expect((await read(url)).map(({ type, data }) => [type, data])).toEqual([
      ['a', '"é"'],
      ['b', '2'],
    ])
  })

  test('proves who we are and says where to go on', async () => {
    const seen: Record<string, unknown> = {}
    const url = await serve((request, response) => {
      Object.assign(seen, { authorization: request.headers.authorization, last: request.headers['last-event-id'] })
      response.end()
    })
    await read(url, '41')
    expect(seen).toEqual({ authorization: 'Bearer secret', last: '41' })
  })

  test('throws when the server refuses', async () => {
    const url = await serve((_, response) => response.writeHead(404).end())
    await expect(read(url)).rejects.toThrow('the server answers with status 404')
  })

  test('ends without a word at the signal', async () => {
    const url = await serve((_, response) => response.write(': open\n\ndata: 1\n\n'))
    const stop = new AbortController()
    const events: string[] = []
    for await (const { data } of readEventStream({ baseUrl: url }, {}, { path: '/s', signal: stop.signal })) {
      events.push(data)
      stop.abort()
    }
    expect(events).toEqual(['1'])
  })
})
