import type { AddressInfo, Server } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { ExchangeRequest } from '../../runner/wire.ts'
import { testApp } from '../helpers/app.ts'
import { afterTest } from './site.ts'

export type SeenExchange = { atMs: number; body: ExchangeRequest }

/** A served control plane that notes what runners send to it. */
export type Spy = { url: string; exchanges: SeenExchange[] }

export async function startSpy(): Promise<Spy> {
  const served = await testApp({ clock: Date.now })
  const exchanges: SeenExchange[] = []
  const server = createAdaptorServer({
    async fetch(request: Request) {
      if (request.url.endsWith('/batch_complete_jobs')) {
        exchanges.push({ atMs: Date.now(), body: (await request.clone().json()) as ExchangeRequest })
      }
      return served.app.fetch(request)
    },
  }) as Server
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  afterTest(async () => {
    server.close()
    await served.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, exchanges }
}
