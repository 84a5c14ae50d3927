import { type ClientRequest, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import type { Proof } from '../client/authorization.ts'
import { createExchanges } from '../client/http-transport.ts'
import type { ServerAddress } from '../client/server-address.ts'
import { headersFor, passedOn } from './headers.ts'

export type RelayOptions = {
  /** The server that answers. */
  address: ServerAddress
  /** What callers have to show to speak for whoever runs the relay. */
  token: string
  env: NodeJS.ProcessEnv
}

/** Both dialects, and nothing else of the server. */
const API_PATH = /^\/(torc-service\/)?v1\//
/** The base path at the end of an address: the path of a request has its own. */
const BASE_PATH = /\/(torc-service\/)?v1$/

/** For connecting; how long an answer takes is the caller's patience, who hangs up. */
const TUNNEL_TIMEOUT_MS = 30_000
/** Longer than clients keep idle connections, so that none is closed under a request (platform.md 6). */
const KEEP_ALIVE_MS = 75_000

/**
 * Passes requests of compute nodes on to the control plane, and replies and streams back, byte for byte as they come. It keeps nothing:
 * what the control plane has not answered is not answered, so a runner's outbox stays the only queue there is. Close it by `closeRelay`.
 */
export function createRelay({ address, token, env }: RelayOptions): Server {
  const root = address.baseUrl.replace(BASE_PATH, '')
  const exchanges = createExchanges({ ...address, baseUrl: root }, env)
  const server = createServer((request, response) => {
    void passOn(request, response, { open: options => exchanges.open(options), token, own: address })
  })
  server.keepAliveTimeout = KEEP_ALIVE_MS
  // Uploads are as large as the server allows and as slow as the line.
  server.requestTimeout = 0
  server.on('close', () => exchanges.close())
  return server
}

type Upstream = { open: ReturnType<typeof createExchanges>['open']; token: string; own: Proof }

async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  { open, token, own }: Upstream,
): Promise<void> {
  const path = request.url ?? '/'
  if (!isApiPath(path))
    return refuse(response, 404, 'not_found', `Cannot relay ${path}: only /v1/ and /torc-service/v1/`)
  const headers = headersFor(request, token, own)
  if (headers === undefined) {
    response.setHeader('www-authenticate', 'Bearer')
    return refuse(response, 401, 'unauthorized', 'Cannot relay a request without a token: HEADRACE_TOKEN holds it')
  }
  try {
    const method = request.method as Parameters<Upstream['open']>[0]['method']
    const asked = await open({ method, path, headers, timeoutMs: TUNNEL_TIMEOUT_MS })
    exchange(request, asked, response)
  } catch (error) {
    unreachable(response, error as Error)
  }
}

/** As the server would read it, too: dots may lead out of the API, to whatever else its host serves. */
const isApiPath = (path: string): boolean =>
  API_PATH.test(path) && URL.canParse(path, ANY_HOST) && API_PATH.test(new URL(path, ANY_HOST).pathname)
const ANY_HOST = 'http://relay'

/** Joins the two connections until one of them ends. */
function exchange(request: IncomingMessage, asked: ClientRequest, response: ServerResponse): void {
  asked.on('error', error => unreachable(response, error))
  asked.on('response', answer => {
    response.writeHead(answer.statusCode!, passedOn(answer.headers))
    // Of a stream the first bytes may be long in coming.
    response.flushHeaders()
    pipeline(answer, response, () => {
      // Half an answer is none: the caller sees that it was cut off.
      if (!answer.complete) response.destroy()
    })
  })
  // The caller has hung up: nobody waits for the answer.
  response.on('close', () => {
    if (!response.writableFinished) asked.destroy()
  })
  request.pipe(asked)
}

/** No answer came, and whether the request had its effect is not known: as with any proxy. */
function unreachable(response: ServerResponse, error: Error): void {
  if (response.headersSent || response.destroyed) response.destroy()
  else refuse(response, 502, 'unavailable', `Cannot reach the server behind this relay: ${error.message}`)
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ error: { error: code, code, message } })
  // What is left of the request is not read.
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body)
}

/** How long requests may take to end when the relay stops; streams end at once, their readers come back. */
const CLOSE_MS = 2_000

/** Stops accepting and cuts off what has not ended by then. */
export async function closeRelay(server: Server): Promise<void> {
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeIdleConnections()
  const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_MS)
  await closed
  clearTimeout(deadline)
}
