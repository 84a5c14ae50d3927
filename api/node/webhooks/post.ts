import { lookup } from 'node:dns/promises'
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import type { Post } from '../../webhooks/deliver.ts'
import type { WebhookPolicy } from '../../webhooks/policy.ts'
import { isPublicAddress } from './public-address.ts'

/** From the first look at a name to the head of the reply. */
const TIMEOUT_MS = 10_000

/**
 * Posts to the address that was looked at, so that a name cannot lead elsewhere between the look and the call, and goes wherever the
 * policy lets it, never on from there. Rejects without a reply in ten seconds.
 */
export function createPost({ insideNetwork }: WebhookPolicy): Post {
  return async (text, headers, body) => {
    const url = new URL(text)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const { address } = isIP(host) === 0 ? await within(lookup(host), signal) : { address: host }
    if (!insideNetwork && !isPublicAddress(address))
      throw new Error(`${host} is at ${address}, which is not a public address: the server has no --webhook-inside`)
    const options: RequestOptions = {
      method: 'POST',
      host: address,
      port: url.port || undefined,
      path: url.pathname + url.search,
      headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body), 'user-agent': 'headrace' },
      signal,
      // One receiver's connection is of no use to another.
      agent: false,
    }
    return new Promise<number>((resolve, reject) => {
      const call =
        url.protocol === 'https:'
          ? httpsRequest({ ...options, servername: isIP(host) === 0 ? host : undefined })
          : httpRequest(options)
      call.on('error', reject)
      call.on('response', response => {
        // What it says is nobody's business here, and may be without end.
        response.on('error', () => {})
        response.destroy()
        resolve(response.statusCode ?? 0)
      })
      call.end(body)
    })
  }
}

function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    }),
  ])
}
