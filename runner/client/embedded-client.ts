import { type Client, createClient } from '../client.ts'
import { createAppTransport } from './app-transport.ts'
import { readAnswer } from './reply.ts'

/** What is needed of a control plane in this process. */
type Embedded = {
  app: Parameters<typeof createAppTransport>[0]
  token: string
  exchange(workflowId: number, body: unknown): Promise<{ status: number; body: unknown }>
}

const EXCHANGE = /^\/workflows\/(\d+)\/batch_complete_jobs$/

/**
 * A client of a control plane in this process. The request on which a run's speed depends goes and comes as values: text, headers and
 * streams between two functions cost as much as what they carry. All others take the app's usual way.
 */
export function createEmbeddedClient(server: Embedded): Client {
  const usual = createClient(createAppTransport(server.app), { token: server.token })
  return {
    async request<T>(...[method, path, body, options]: Parameters<Client['request']>) {
      const id = method === 'POST' ? EXCHANGE.exec(path)?.[1] : undefined
      if (id === undefined) return usual.request<T>(method, path, body, options)
      const answer = await server.exchange(Number(id), body)
      return readAnswer<T>(answer.status, answer.body)
    },
    close: () => usual.close(),
  }
}
