import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Server, Socket } from 'node:net'
import { afterTest } from '../helpers/after-test.ts'

/** Serves until the test ends and gives the address. */
export async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(handle))}`
}

/** Binds any server to a free port of loopback and closes it after the test. */
export async function listen(server: Server): Promise<number> {
  const sockets: Socket[] = []
  server.on('connection', socket => sockets.push(socket))
  afterTest(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise(resolve => server.close(resolve))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

export async function readBody(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text
}
