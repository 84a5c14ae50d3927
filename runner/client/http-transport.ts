import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { proxyAuthorization, proxyFor } from './proxy.ts'
import type { ServerAddress } from './server-address.ts'
import { type Outgoing, ReplyTimeout, type Transport } from './transport.ts'
import { trustedCertificates } from './trusted-certificates.ts'

// Loaded when they are needed: a command may ask nothing (its help), or over plain http.
const http = () => process.getBuiltinModule('node:http')
const https = () => process.getBuiltinModule('node:https')
const tls = () => process.getBuiltinModule('node:tls')

type Exchanges = {
  /** Opens the exchange: directly, through a proxy by its absolute form, or through a tunnel for https. */
  open(outgoing: Outgoing): Promise<ClientRequest>
  close(): void
}

/** Opens requests to one server, whoever reads their replies. Sockets are kept for the next request until `close`. */
export function createExchanges(address: ServerAddress, env: NodeJS.ProcessEnv): Exchanges {
  const base = new URL(address.baseUrl)
  const ca = trustedCertificates(address.caCert)
  const proxy = proxyFor(base, env)
  const agent =
    base.protocol === 'https:' ? new (https().Agent)({ keepAlive: true, ca }) : new (http().Agent)({ keepAlive: true })

  async function open({ method, path, headers, timeoutMs }: Outgoing): Promise<ClientRequest> {
    const target = new URL(address.baseUrl + path)
    if (proxy === undefined) {
      const request = base.protocol === 'https:' ? https().request : http().request
      return request(target, { method, headers, agent })
    }
    if (base.protocol === 'http:') {
      const forProxy = { ...headers, host: target.host, ...proxyAuthorization(proxy) }
      return http().request(proxy, { method, path: target.href, headers: forProxy, agent })
    }
    const tunnel = await openTunnel(proxy, target, timeoutMs)
    const createConnection = () => tls().connect({ socket: tunnel, servername: target.hostname, ca })
    return https().request(target, { method, headers, createConnection })
  }

  return { open, close: () => agent.destroy() }
}

/**
 * Speaks HTTP with what Node has built in, which costs a one-shot command next to nothing at start-up; undici would
 * nearly double it.
 */
export function createHttpTransport(address: ServerAddress, env: NodeJS.ProcessEnv): Transport {
  const exchanges = createExchanges(address, env)
  return {
    async send(outgoing) {
      const request = await exchanges.open(outgoing)
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => request.destroy(new ReplyTimeout(outgoing.timeoutMs)), outgoing.timeoutMs)
        request.on('close', () => clearTimeout(timer))
        request.on('error', reject)
        request.on('response', response => {
          readText(response).then(
            text => resolve({ status: response.statusCode!, retryAfter: response.headers['retry-after'], text }),
            reject,
          )
        })
        request.end(outgoing.body)
      })
    },
    async close() {
      exchanges.close()
    },
  }
}

/** Reads by events: the first iterator over a stream costs a command a millisecond. */
function readText(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    response.on('error', reject)
    response.on('close', () => reject(new Error('the connection was closed within the reply')))
  })
}

function openTunnel(proxy: URL, target: URL, timeoutMs: number): Promise<Socket> {
  const authority = `${target.hostname}:${target.port || 443}`
  return new Promise((resolve, reject) => {
    const headers = { host: authority, ...proxyAuthorization(proxy) }
    const request = http().request(proxy, { method: 'CONNECT', path: authority, headers, agent: false })
    request.setTimeout(timeoutMs, () => request.destroy(new ReplyTimeout(timeoutMs)))
    request.on('error', reject)
    request.on('connect', (response, socket) => {
      if (response.statusCode === 200) return resolve(socket)
      socket.destroy()
      reject(new Error(`the proxy ${proxy.host} refused to connect with status ${response.statusCode}`))
    })
    request.end()
  })
}
