import { type Dispatcher, Pool, ProxyAgent } from 'undici'
import { proxyFor } from './proxy.ts'
import type { ServerAddress } from './server-address.ts'
import { ReplyTimeout, type Transport } from './transport.ts'
import { trustedCertificates } from './trusted-certificates.ts'

/** More gain nothing: a runner has few requests in flight (platform.md 6). */
const CONNECTIONS = 8

/**
 * Speaks HTTP through undici's pool, for the runner's loop: the quickest client there is. Import this file lazily, since undici costs a
 * command half of its start-up.
 */
export function openPoolTransport(address: ServerAddress, env: NodeJS.ProcessEnv): Transport {
  const base = new URL(address.baseUrl)
  const proxy = proxyFor(base, env)
  const ca = trustedCertificates(address.caCert)
  const dispatcher: Dispatcher =
    proxy === undefined
      ? new Pool(base.origin, { connections: CONNECTIONS, pipelining: 1, connect: { ca } })
      : new ProxyAgent({
          uri: proxy.href,
          connections: CONNECTIONS,
          proxyTunnel: base.protocol === 'https:',
          requestTls: { ca },
        })

  return {
    async send({ method, path, headers, body, timeoutMs }) {
      const signal = AbortSignal.timeout(timeoutMs)
      try {
        const reply = await dispatcher.request({
          origin: base.origin,
          path: base.pathname + path,
          method,
          headers,
          body,
          signal,
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
        })
        const { 'retry-after': retryAfter, 'x-headrace-epoch': epoch } = reply.headers
        return {
          status: reply.statusCode,
          retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
          epoch: typeof epoch === 'string' ? epoch : undefined,
          text: await reply.body.text(),
        }
      } catch (error) {
        throw signal.aborted ? new ReplyTimeout(timeoutMs) : error
      }
    },
    close: () => dispatcher.close(),
  }
}
