import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'

/** What becomes of one request to the server behind. */
export type Fate = 'pass' | 'lose request' | 'lose answer' | 'hang'

export type FaultyServer = {
  url: string
  /** The statements of each request, in the order they came. */
  requests: string[][]
  stop(): Promise<void>
}

type Pipeline = { requests: { batch?: { steps: { stmt: { sql: string } }[] } }[] }

/**
 * Stands between a program and its database server and loses requests or answers, as networks do. `fateOf` sees the statements of each
 * request and how many came before it.
 */
export async function startFaultyServer(
  behind: string,
  fateOf: (statements: string[], index: number) => Fate,
): Promise<FaultyServer> {
  const requests: string[][] = []
  const server: Server = createServer((request, response) => {
    void relay()
    async function relay(): Promise<void> {
      const body = await readAll(request)
      const parsed: Pipeline = JSON.parse(body)
      const statements = parsed.requests.flatMap(part => part.batch?.steps.map(step => step.stmt.sql) ?? [])
      const fate = fateOf(statements, requests.push(statements) - 1)
      if (fate === 'hang') return
      if (fate === 'lose request') return void request.socket.destroy()
      const answer = await fetch(behind + request.url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      })
      const text = await answer.text()
      if (fate === 'lose answer') return void request.socket.destroy()
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('Cannot find the port of the faulty server')
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
