import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type RunningServer, type ServerOptions, StartError, startServer } from '../../../api/node.ts'
import { skipUnless } from '../../helpers/skip.ts'

let folder: string
let server: RunningServer | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-flags-'))
})
afterEach(async () => {
  await server?.close()
  server = undefined
  rmSync(folder, { recursive: true, force: true })
})

const TOKEN = 'token-of-the-operator'

async function start(options: Partial<ServerOptions>): Promise<RunningServer> {
  server = await startServer({ dbPath: ':memory:', durability: 'process', token: TOKEN, log: () => {}, ...options })
  return server
}

it('startServer() with jsonLog says each request in a line of JSON, in which no secret stands', async () => {
  const lines: string[] = []
  const { url } = await start({ jsonLog: line => lines.push(line), access: { enforce: true } })
  const authorization = `Bearer ${TOKEN}`
  const made = await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json', 'x-span-id': 'span-1' },
    body: JSON.stringify({ name: 'n', scopes: ['read'], user: 'ada' }),
  })
  const { token } = (await made.json()) as { token: string }
  await fetch(`${url}/v1/workflows?name=private-word`, { headers: { authorization: `Bearer ${token}` } })
  await fetch(`${url}/v1/jobs/7`, { headers: { authorization: `Basic ${btoa('ada:private-word')}` } })
  const text = lines.join('')
  for (const secret of [TOKEN, token, 'private-word', btoa('ada:private-word')]) expect(text).not.toContain(secret)
  expect(lines.every(line => line.endsWith('}\n') && line.indexOf('\n') === line.length - 1)).toBe(true)
  const said = lines.map(line => JSON.parse(line)).filter(line => line.message === 'request')
  expect(said).toMatchObject([
    { level: 'info', span: 'span-1', method: 'POST', operation: '/tokens', path: '/v1/tokens', status: 200 },
    {
      method: 'GET',
      operation: '/workflows',
      path: '/v1/workflows',
      status: 200,
      user: 'ada',
      token: 1,
      address: '127.0.0.1',
    },
    { method: 'GET', operation: '/jobs/:id', path: '/v1/jobs/7', status: 404, user: 'anonymous' },
  ])
  for (const line of said) expect(line.milliseconds).toBeGreaterThanOrEqual(0)
})

it('startServer() believes the X-Forwarded-For of the proxies it is told, and of nobody else', async () => {
  const addresses: string[] = []
  const jsonLog = (line: string) => addresses.push(JSON.parse(line).address)
  const headers = { 'x-forwarded-for': '203.0.113.9, 198.51.100.7', authorization: `Bearer ${TOKEN}` }
  const first = await start({ jsonLog, trustedProxies: ['127.0.0.1'] })
  await fetch(`${first.url}/v1/ping`, { headers })
  await fetch(`${first.url}/v1/ping`, { headers: { authorization: headers.authorization } })
  await first.close()
  const second = await start({ jsonLog })
  await fetch(`${second.url}/v1/ping`, { headers })
  // What stands before the last address is the caller's own word.
  expect(addresses).toEqual(['198.51.100.7', '127.0.0.1', '127.0.0.1'])
})

const withOpenssl = skipUnless(hasOpenssl(), 'openssl is not installed: no certificate to serve HTTPS with')

withOpenssl('startServer() with a certificate speaks HTTPS, and tells browsers to keep to that', async () => {
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const about = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '1']
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      ...about,
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  )
  const { url } = await start({ tls: { certPath: cert, keyPath: key } })
  expect(url).toMatch(/^https:/)
  const { status, header } = await new Promise<{ status?: number; header: unknown }>((resolve, reject) => {
    const options = { ca: readFileSync(cert), headers: { authorization: `Bearer ${TOKEN}` } }
    request(`${url}/v1/ping`, options, reply => {
      reply.resume()
      resolve({ status: reply.statusCode, header: reply.headers['strict-transport-security'] })
    })
      .on('error', reject)
      .end()
  })
  expect([status, header]).toEqual([200, 'max-age=63072000'])
})

it('startServer() refuses a certificate that cannot be read or has another key', async () => {
  const path = join(folder, 'cert.pem')
  writeFileSync(path, 'no certificate')
  for (const certPath of [path, join(folder, 'missing.pem')])
    await expect(start({ tls: { certPath, keyPath: path } })).rejects.toThrow(StartError)
})

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
