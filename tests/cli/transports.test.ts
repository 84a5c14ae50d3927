import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAppTransport } from '../../runner/client/app-transport.ts'
import { createHttpTransport } from '../../runner/client/http-transport.ts'
import { openPoolTransport } from '../../runner/client/pool-transport.ts'
import type { ServerAddress } from '../../runner/client/server-address.ts'
import type { Outgoing, Transport } from '../../runner/client/transport.ts'
import { listen, readBody, serve } from './http-server.ts'

const GET: Outgoing = { method: 'GET', path: '/ping', headers: {}, timeoutMs: 5_000 }
const POST: Outgoing = { ...GET, method: 'POST', path: '/jobs?limit=2', body: '{"ä":1}', headers: { 'x-test': 'yes' } }

const openers: [string, (address: ServerAddress, env: NodeJS.ProcessEnv) => Transport | Promise<Transport>][] = [
  ['createHttpTransport()', createHttpTransport],
  ['openPoolTransport()', openPoolTransport],
]

describe.each(openers)('%s', (_name, open) => {
  test('sends method, path, headers and body, and gives status, text and retry-after', async () => {
    const base = await serve(async (request, response) => {
      const seen = {
        method: request.method,
        url: request.url,
        test: request.headers['x-test'],
        body: await readBody(request),
      }
      response.writeHead(503, { 'retry-after': '4' }).end(JSON.stringify(seen))
    })
    const transport = await open({ baseUrl: `${base}/v1` }, {})
    const { status, retryAfter, text } = await transport.send(POST)
    expect({ status, retryAfter }).toEqual({ status: 503, retryAfter: '4' })
    expect(JSON.parse(text)).toEqual({ method: 'POST', url: '/v1/jobs?limit=2', test: 'yes', body: '{"ä":1}' })
    await transport.close()
  })

  test('rejects when nobody listens', async () => {
    const port = await freedPort()
    const transport = await open({ baseUrl: `http://127.0.0.1:${port}/v1` }, {})
    await expect(transport.send(GET)).rejects.toThrow('ECONNREFUSED')
    await transport.close()
  })

  test('rejects when the reply does not come in time', async () => {
    const base = await serve(() => {})
    const transport = await open({ baseUrl: base }, {})
    await expect(transport.send({ ...GET, timeoutMs: 100 })).rejects.toThrow('no reply within 0.1 s')
    await transport.close()
  })

  test('goes through the proxy that HTTP_PROXY names, with its password', async () => {
    const proxy = await serve((request, response) => {
      response.end(JSON.stringify({ url: request.url, password: request.headers['proxy-authorization'] }))
    })
    const env = { HTTP_PROXY: proxy.replace('//', '//me:pass@') }
    const transport = await open({ baseUrl: 'http://jobs.example.org/v1' }, env)
    expect(JSON.parse((await transport.send(GET)).text)).toEqual({
      url: 'http://jobs.example.org/v1/ping',
      password: `Basic ${Buffer.from('me:pass').toString('base64')}`,
    })
    await transport.close()
  })

  describe('over TLS', () => {
    let directory: string
    let pem: { key: string; cert: string }

    beforeAll(() => {
      directory = mkdtempSync(join(tmpdir(), 'headrace-tls-'))
      const names = ['-subj', '/CN=jobs.example.org', '-addext', 'subjectAltName=DNS:jobs.example.org,IP:127.0.0.1']
      const files = ['-keyout', 'key.pem', '-out', 'cert.pem']
      const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
      execFileSync('openssl', ['req', '-x509', ...key, ...files, ...names], { cwd: directory, stdio: 'ignore' })
      pem = {
        key: readFileSync(join(directory, 'key.pem'), 'utf8'),
        cert: readFileSync(join(directory, 'cert.pem'), 'utf8'),
      }
    })
    afterAll(() => rmSync(directory, { recursive: true }))

    const secureServer = () => createHttpsServer(pem, (request, response) => response.end(request.url))

    test('trusts the certificate that --ca-cert names, and nothing else', async () => {
      const baseUrl = `https://127.0.0.1:${await listen(secureServer())}/v1`
      const trusting = await open({ baseUrl, caCert: join(directory, 'cert.pem') }, {})
      expect((await trusting.send(GET)).text).toBe('/v1/ping')
      const doubting = await open({ baseUrl }, {})
      await expect(doubting.send(GET)).rejects.toThrow('self-signed certificate')
      await trusting.close()
      await doubting.close()
    })

    test('tunnels through the proxy that HTTPS_PROXY names', async () => {
      const port = await listen(secureServer())
      const asked: (string | undefined)[] = []
      const proxy = createHttpServer().on('connect', (request, socket) => {
        asked.push(request.url)
        const upstream = connect(port, '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n')
          upstream.pipe(socket).pipe(upstream)
        })
      })
      const env = { HTTPS_PROXY: `http://127.0.0.1:${await listen(proxy)}` }
      const address = { baseUrl: 'https://jobs.example.org/v1', caCert: join(directory, 'cert.pem') }
      const transport = await open(address, env)
      expect((await transport.send(GET)).text).toBe('/v1/ping')
      expect(asked).toEqual(['jobs.example.org:443'])
      await transport.close()
    })
  })

  test('says which file of --ca-cert cannot be read', async () => {
    const opened = async () => open({ baseUrl: 'https://127.0.0.1/v1', caCert: '/nowhere/ca.pem' }, {})
    await expect(opened()).rejects.toThrow('Cannot read the certificates of --ca-cert: /nowhere/ca.pem (ENOENT)')
  })
})

test('createAppTransport() calls the app without a socket', async () => {
  const app = {
    fetch: async (request: Request) =>
      new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`, {
        status: 202,
        headers: { 'retry-after': '1' },
      }),
  }
  const reply = await createAppTransport(app).send(POST)
  expect(reply).toEqual({ status: 202, retryAfter: '1', text: 'POST /v1/jobs {"ä":1}' })
})

/** A port that was free a moment ago and where nobody listens. */
async function freedPort(): Promise<number> {
  const server = createHttpServer()
  const port = await listen(server)
  await new Promise(resolve => server.close(resolve))
  return port
}
