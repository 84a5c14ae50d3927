import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'

/** What becomes of one request to the server behind. Refusals are those that sqld 0.24.32 gives, in its own form of each. */
export type Fate = 'pass' | 'lose request' | 'lose answer' | 'cut answer' | 'hang' | Refusal
export type Refusal = 'TRANSACTION_TIMEOUT' | 'STREAM_EXPIRED' | 'RESPONSE_TOO_LARGE'

export type FaultyServer = {
  url: string
  /** The statements of each request, in the order they came. */
  requests: string[][]
  stop(): Promise<void>
}

type Pipeline = { baton: string | null; requests: { batch?: { steps: { stmt: { sql: string } }[] } }[] }

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
      if (fate !== 'pass' && fate !== 'lose answer' && fate !== 'cut answer') {
        // With the refusal the server has undone the transaction.
        if (parsed.baton !== null) await send(JSON.stringify({ baton: parsed.baton, requests: [{ type: 'close' }] }))
        const { status, answer } = refusalOf(fate, statements.length)
        return void response.writeHead(status, JSON_BODY).end(JSON.stringify(answer))
      }
      const answer = await send(body)
      const text = await answer.text()
      if (fate === 'lose answer') return void request.socket.destroy()
      if (fate === 'cut answer') {
        // Without a length or chunks nobody sees that there was more.
        request.socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${text.slice(0, text.length / 2)}`)
        return
      }
      response.writeHead(answer.status, JSON_BODY).end(text)
    }
    const send = (body: string) => fetch(behind + request.url, { method: 'POST', body, headers: JSON_BODY })
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

const JSON_BODY = { 'content-type': 'application/json' }

function refusalOf(code: Refusal, statements: number): { status: number; answer: object } {
  const error = { message: `Refused: ${code}`, code }
  const failed = (results: object[]) => ({ status: 200, answer: { baton: null, base_url: null, results } })
  switch (code) {
    case 'TRANSACTION_TIMEOUT': {
      const result = { step_results: Array(statements).fill(null), step_errors: Array(statements).fill(error) }
      return failed([{ type: 'ok', response: { type: 'batch', result } }])
    }
    case 'RESPONSE_TOO_LARGE':
      return failed([{ type: 'error', error }])
    case 'STREAM_EXPIRED':
      return { status: 400, answer: error }
  }
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
