import type { Client, Refusal } from '../../runner/client.ts'

export type Sent = { method: string; path: string; body: unknown }

export const refusal = (status: number, message: string): Refusal => ({
  ok: false,
  status,
  code: `http_${status}`,
  message,
})

const isRefusal = (value: unknown): value is Refusal => typeof value === 'object' && value !== null && 'ok' in value

/** A client whose control plane is a function of method, path and body; it notes what it was asked. */
export function createFakeClient(answer: (method: string, path: string, body: unknown) => unknown): {
  client: Client
  sent: Sent[]
} {
  const sent: Sent[] = []
  const client: Client = {
    async request<T>(method: string, path: string, body?: unknown) {
      sent.push({ method, path, body })
      const value = answer(method, path, body)
      return isRefusal(value) ? value : { ok: true as const, status: 200, value: value as T }
    },
    async close() {},
  }
  return { client, sent }
}
