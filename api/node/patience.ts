import type { IncomingMessage, Server, ServerResponse } from 'node:http'

/** How long a server waits for those who are slow: whoever is slow on purpose holds connections and memory. */
export type Patience = {
  /** From the first byte of a request to the end of its headers. */
  headersMs: number
  /** Without a byte of a body that has not ended. */
  bodyMs: number
  /** For a request as a whole, until its last byte has come: the largest bodies over a slow line. */
  requestMs: number
  /** Without a byte that whoever reads has taken, or has been sent: event streams speak every 15 s, and no other look takes as long. */
  readerMs: number
  /** An idle connection; above the 65 s or so after which clients and proxies let go of it (platform.md 6). */
  keepAliveMs: number
}

const USUAL: Patience = {
  headersMs: 15_000,
  bodyMs: 30_000,
  requestMs: 300_000,
  readerMs: 60_000,
  keepAliveMs: 75_000,
}

/** Longer headers are answered with 431: what a client of ours sends has a tenth of that. */
const MOST_HEADER_BYTES = 16_384

/** What a server has to be made with, in the form of `node:http`. How often it looks is an eighth of what it waits, so that the wait holds. */
export const connectionOptions = ({ headersMs }: Patience = USUAL) => ({
  maxHeaderSize: MOST_HEADER_BYTES,
  connectionsCheckingInterval: Math.min(headersMs / 8, 5_000),
})

/** Cuts off whoever is slower than that. */
export function limitPatience(server: Server, patience: Patience = USUAL): void {
  server.headersTimeout = patience.headersMs
  server.requestTimeout = patience.requestMs
  server.keepAliveTimeout = patience.keepAliveMs
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request
    if (request.method === 'GET' || request.method === 'HEAD') {
      // When the reply ends, Node itself sets what holds for an idle connection.
      socket.setTimeout(patience.readerMs)
      return
    }
    socket.setTimeout(patience.bodyMs)
    // An answer may take its time; one that has gone already has begun the wait of an idle connection.
    request.once('end', () => {
      if (!response.writableEnded) socket.setTimeout(0)
    })
  })
}
