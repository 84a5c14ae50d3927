import type { Client } from '../../runner/client.ts'
import type { Asked } from '../../runner/slurm/rows.ts'
import type { TestApp } from '../helpers/app.ts'

/** The client of a command over an app in this process. */
export function clientOf(t: TestApp): Client {
  return {
    async request<T>(method: string, path: string, body?: unknown) {
      const send = { GET: t.get, POST: t.post, PUT: t.put, DELETE: t.del }[method as 'GET']
      const reply = await (send as TestApp['post'])(path, body)
      if (reply.status === 200) return { ok: true as const, status: 200, value: reply.body as T }
      const message: string = reply.body?.error?.message ?? ''
      return { ok: false as const, status: reply.status, code: `http_${reply.status}`, message }
    },
    async close() {},
  }
}

export const askedOf = (t: TestApp): Asked => ({ client: clientOf(t), where: 'the test' })
