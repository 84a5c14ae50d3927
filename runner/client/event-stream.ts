import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { authorization } from './authorization.ts'
import { createExchanges } from './http-transport.ts'
import type { ServerAddress } from './server-address.ts'

export type ServerEvent = { id: string | undefined; type: string; data: string }

export type EventRequest = { path: string; lastEventId?: string; signal: AbortSignal }

/** For the first bytes; after them a comment every 15 seconds shows that the server is there. */
const SILENCE_MS = 60_000

/**
 * Reads server-sent events until the server ends the stream or the signal comes. Throws when it cannot be opened or breaks off:
 * the caller goes on from the last id it saw.
 */
export async function* readEventStream(
  address: ServerAddress,
  env: NodeJS.ProcessEnv,
  { path, lastEventId, signal }: EventRequest,
): AsyncGenerator<ServerEvent> {
  const exchanges = createExchanges(address, env)
  const headers: Record<string, string> = { accept: 'text/event-stream', ...authorization(address) }
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId
  const request = await exchanges.open({ method: 'GET', path, headers, timeoutMs: SILENCE_MS })
  const stop = () => request.destroy()
  signal.addEventListener('abort', stop, { once: true })
  // Whoever waits for something of it hears of an error there.
  request.on('error', () => {})
  try {
    // Somebody may have changed his mind while the connection was made.
    if (signal.aborted) return
    request.setTimeout(SILENCE_MS, () => request.destroy(new Error(`no sign of life within ${SILENCE_MS / 1000} s`)))
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    if (response.statusCode !== 200) throw new Error(`the server answers with status ${response.statusCode}`)
    yield* framesOf(response)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
    request.destroy()
    exchanges.close()
  }
}

/** Frames end at a blank line; a chunk may hold any part of one. */
async function* framesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    const frames = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = frames.pop()!
    for (const frame of frames) {
      const event = parseFrame(frame)
      if (event !== undefined) yield event
    }
  }
}

/** Reads one frame; undefined for a comment. */
export function parseFrame(frame: string): ServerEvent | undefined {
  const fields: Record<string, string> = {}
  for (const line of frame.split('\n')) {
    const at = line.indexOf(':')
    if (at > 0) fields[line.slice(0, at)] = line.slice(at + 1).trimStart()
  }
  return fields.data === undefined ? undefined : { id: fields.id, type: fields.event ?? 'message', data: fields.data }
}
