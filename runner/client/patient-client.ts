import { setTimeout as pause } from 'node:timers/promises'
import type { Client } from '../client.ts'
import type { Refusal } from './reply.ts'

/** A control plane that has answered before is being started anew, most likely. */
const KNOWN_PATIENCE_MS = 30_000
/** One that never has may be the wrong address. */
const UNKNOWN_PATIENCE_MS = 2_000
const PAUSE_MS = 250

type Time = { now(): number; sleep(ms: number): Promise<unknown> }

/**
 * For steps that a run takes once, at its start and its end: waits for a control plane that does not answer for a while, with whatever may
 * be sent again, and with what cannot have arrived. The loop has a client that tells at once that nobody is there.
 */
export function createPatientClient(client: Client, { now, sleep }: Time = { now: Date.now, sleep: pause }): Client {
  let isKnown = false
  return {
    async request<T>(...[method, path, body, options]: Parameters<Client['request']>) {
      const repeatable = options?.repeatable ?? method !== 'POST'
      const mayRepeat = ({ status, neverSent }: Refusal): boolean =>
        status === undefined && (repeatable || neverSent === true)
      for (const startedAt = now(); ; await sleep(PAUSE_MS)) {
        const reply = await client.request<T>(method, path, body, options)
        isKnown ||= reply.ok || reply.status !== undefined
        if (reply.ok || !mayRepeat(reply)) return reply
        if (now() - startedAt >= (isKnown ? KNOWN_PATIENCE_MS : UNKNOWN_PATIENCE_MS)) return reply
      }
    },
    close: () => client.close(),
  }
}
