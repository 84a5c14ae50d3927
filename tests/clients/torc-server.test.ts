import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { hashSync } from 'bcryptjs'
import Database from 'libsql'
import { expect, it } from 'vitest'
import { skipUnless } from '../helpers/skip.ts'
import { waitUntil } from '../launcher/harness.ts'
import { afterTest, emptyFolder, post, startTorcServer, TORC_SERVER } from './torc-server-process.ts'

const ANY_PORT = ['run', '--host', '127.0.0.1', '--port', '0']
const WORKFLOW = { name: 'kept', user: 'u' }

const namesAt = async (url: string): Promise<string[]> => {
  const { items } = (await (await fetch(`${url}/workflows`)).json()) as { items: { name: string }[] }
  return items.map(item => item.name)
}

it('torc-server is found by a link on PATH, and says its port alone on a line of standard output', async () => {
  const folder = emptyFolder()
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  symlinkSync(TORC_SERVER, join(bin, 'real'))
  symlinkSync('real', join(bin, 'torc-server'))
  const env = { PATH: `${bin}:${process.env.PATH}` }
  const server = startTorcServer(folder, [...ANY_PORT, '-d', 'own.db'], { program: 'torc-server', env })
  const url = await server.url()
  expect(await (await fetch(`${url}/ping`)).json()).toEqual({ status: 'ok' })
  expect(server.output.stdout).toMatch(/^TORC_SERVER_PORT=\d+\n$/)
  expect(statSync(join(folder, 'own.db')).isFile()).toBe(true)
})

it('torc-server stops with 0 when standard input ends, though an event stream is open', async () => {
  const server = startTorcServer(emptyFolder(), [...ANY_PORT, '--database', ':memory:', '--shutdown-on-stdin-eof'])
  const url = await server.url()
  const { id } = await post(`${url}/workflows`, WORKFLOW)
  const stream = await fetch(`${url}/workflows/${id}/events/stream`)
  expect(stream.status).toBe(200)
  server.child.stdin!.end()
  expect(await server.ended).toMatchObject({ code: 0 })
  await stream.body?.cancel().catch(() => {})
})

it('torc-server without the flag goes on when standard input ends', async () => {
  const server = startTorcServer(emptyFolder(), [...ANY_PORT, '--database', ':memory:'])
  const url = await server.url()
  server.child.stdin!.end()
  await post(`${url}/workflows`, WORKFLOW)
  expect(await namesAt(url)).toEqual(['kept'])
})

it.each(['SIGINT', 'SIGTERM'] as const)('torc-server stops with 0 at %s', async signal => {
  const server = startTorcServer(emptyFolder(), [...ANY_PORT, '--database', ':memory:'])
  await server.url()
  server.child.kill(signal)
  expect(await server.ended).toMatchObject({ code: 0, signal: null })
})

it('torc-server writes a snapshot at SIGUSR1 that it can open later, and keeps as many as it is told', async () => {
  const folder = emptyFolder()
  const path = join(folder, 'snapshot.db')
  const env = { TORC_SERVER_SNAPSHOT_PATH: 'snapshot.db', TORC_SERVER_SNAPSHOT_KEEP: '2' }
  const server = startTorcServer(folder, [...ANY_PORT, '--database', ':memory:'], { env })
  const url = await server.url()
  const done = () => server.output.stdout.split('\n').filter(line => line === `TORC_SNAPSHOT_DONE=${path}`).length
  for (const count of [1, 2, 3]) {
    await post(`${url}/workflows`, { ...WORKFLOW, name: `workflow ${count}` })
    server.child.kill('SIGUSR1')
    await waitUntil('the snapshot is reported', done, found => found === count)
  }
  expect(['', '.1', '.2', '.tmp'].map(end => existsSync(path + end))).toEqual([true, true, false, false])
  expect(statSync(path).mode & 0o777).toBe(0o600)
  server.child.kill('SIGKILL')
  const again = startTorcServer(folder, [...ANY_PORT, '--database', path])
  expect(await namesAt(await again.url())).toEqual(['workflow 1', 'workflow 2', 'workflow 3'])
  const older = startTorcServer(folder, [...ANY_PORT, '--database', `${path}.1`])
  expect(await namesAt(await older.url())).toEqual(['workflow 1', 'workflow 2'])
})

it('torc-server takes a snapshot when it is told so the moment its port is known', async () => {
  const folder = emptyFolder()
  const env = { TORC_SERVER_SNAPSHOT_PATH: join(folder, 's.db') }
  const server = startTorcServer(folder, [...ANY_PORT, '--database', 'file.db'], { env })
  server.child.stdout!.once('data', () => server.child.kill('SIGUSR1'))
  const url = await server.url()
  await waitUntil(
    'the snapshot is reported',
    () => server.output.stdout,
    text => text.includes('TORC_SNAPSHOT_DONE='),
  )
  expect(await namesAt(url)).toEqual([])
})

it('torc-server leaves the tables of another program alone and uses a sibling file, told once', async () => {
  const folder = emptyFolder()
  const path = join(folder, 'torc.db')
  const theirs = new Database(path)
  theirs.exec('CREATE TABLE _sqlx_migrations (version INTEGER); CREATE TABLE workflow (id INTEGER, secret TEXT)')
  theirs.exec(`INSERT INTO workflow VALUES (1, 'theirs')`)
  theirs.close()
  const digest = () => createHash('sha256').update(readFileSync(path)).digest('hex')
  const before = digest()
  const server = startTorcServer(folder, [...ANY_PORT, '--database', path])
  const url = await server.url()
  await post(`${url}/workflows`, WORKFLOW)
  expect(await namesAt(url)).toEqual(['kept'])
  server.child.kill('SIGTERM')
  const { stderr } = await server.ended
  expect(stderr.split(`${path}.headrace.db`)).toHaveLength(2)
  expect(digest()).toBe(before)
  expect(existsSync(`${path}.headrace.db`)).toBe(true)
})

it('torc-server fills an empty file that exists', async () => {
  const folder = emptyFolder()
  writeFileSync(join(folder, 'empty.db'), '')
  const server = startTorcServer(folder, [...ANY_PORT, '--database', 'empty.db'])
  await post(`${await server.url()}/workflows`, WORKFLOW)
  expect(statSync(join(folder, 'empty.db')).size).toBeGreaterThan(0)
})

it.each([
  ['sqlite:own.db', 'own.db'],
  ['sqlite://own.db?mode=rwc', 'own.db'],
  ['own.db', 'own.db'],
])('torc-server reads DATABASE_URL=%s, and --database wins over it', async (DATABASE_URL, name) => {
  const folder = emptyFolder()
  const byVariable = startTorcServer(folder, ANY_PORT, { env: { DATABASE_URL } })
  await byVariable.url()
  expect(existsSync(join(folder, name))).toBe(true)
  const byFlag = startTorcServer(folder, [...ANY_PORT, '-d', 'flag.db'], { env: { DATABASE_URL } })
  await byFlag.url()
  expect(existsSync(join(folder, 'flag.db'))).toBe(true)
})

it.each(['sqlite::memory:', ':memory:'])('torc-server keeps nothing with DATABASE_URL=%s', async DATABASE_URL => {
  const server = startTorcServer(emptyFolder(), ANY_PORT, { env: { DATABASE_URL } })
  expect(await namesAt(await server.url())).toEqual([])
  expect(server.output.stderr).toContain(':memory:')
})

it('torc-server reads an absolute path in DATABASE_URL, without a command and without the words of newer flags', async () => {
  const folder = emptyFolder()
  const env = { DATABASE_URL: `sqlite://${join(folder, 'own.db')}` }
  const ignored = ['-t', '4', '-c', '0.5', '-l', 'debug', '--disable-admin-sql', '--disable-admin-sql-writes']
  const server = startTorcServer(folder, ['--url', '127.0.0.1', '-p', '0', ...ignored], { env })
  await server.url()
  expect(existsSync(join(folder, 'own.db'))).toBe(true)
})

it('torc-server ends with 1 and no port line when port, database or certificate cannot be had', async () => {
  const folder = emptyFolder()
  const other = createServer().listen(0, '127.0.0.1')
  afterTest(() => other.close())
  await new Promise(resolve => other.once('listening', resolve))
  const taken = String((other.address() as AddressInfo).port)
  writeFileSync(join(folder, 'text.db'), 'this is no database at all'.repeat(100))
  for (const words of [
    ['run', '--port', taken, '--database', ':memory:'],
    ['run', '--port', '0'],
    ['run', '--port', '0', '--database', 'text.db'],
    ['run', '--port', '0', '--database', ':memory:', '--https'],
    ['run', '--port', '0', '--database', ':memory:', '--https', '--tls-cert', 'no', '--tls-key', 'no'],
    ['run', '--port', '0', '--database', ':memory:', '--require-auth'],
    ['run', '--port', '0', '--database', ':memory:', '--auth-file', 'missing'],
    ['run', '--port', '0', '--database', ':memory:', '--auth-file', 'text.db'],
    ['run', '--port', '0', '--database', ':memory:', '--host', '0.0.0.0'],
  ]) {
    const ended = await startTorcServer(folder, words).ended
    expect(ended, words.join(' ')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^Cannot .+\n$/),
    })
  }
})

it('torc-server ends with 2 at a command line that it does not understand', async () => {
  for (const words of [
    ['run', '--no-such-flag'],
    ['run', '--port', 'x', '--database', ':memory:'],
    ['run', '--port', '65536', '--database', ':memory:'],
    ['run', '--dialect', 'klingon', '--database', ':memory:'],
    ['dance'],
    ['service', 'dance'],
    ['export', '-o', 'copy.db'],
  ]) {
    const ended = await startTorcServer(emptyFolder(), words).ended
    expect(ended, words.join(' ')).toMatchObject({ code: 2, stdout: '' })
    expect(ended.stderr.trim().split('\n')).toHaveLength(1)
  }
})

it('torc-server says its version and its flags', async () => {
  const version = await startTorcServer(emptyFolder(), ['--version']).ended
  expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^torc-server 1\.0\.0 \(headrace .+\)\n$/) })
  const help = await startTorcServer(emptyFolder(), ['run', '--help']).ended
  expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining('--database') })
})

it('torc-server --dialect old answers as the older server did', async () => {
  const words = [...ANY_PORT, '--database', ':memory:', '--dialect', 'old']
  const url = await startTorcServer(emptyFolder(), words).url()
  const made = await post(`${url}/workflows`, { ...WORKFLOW, metadata: { a: 1 } })
  expect(made).toMatchObject({ metadata: '{"a":1}' })
})

it('torc-server takes the largest body of bulk requests from TORC_MAX_REQUEST_BODY_MB', async () => {
  const env = { TORC_MAX_REQUEST_BODY_MB: '1' }
  const url = await startTorcServer(emptyFolder(), [...ANY_PORT, '--database', ':memory:'], { env }).url()
  const { id } = await post(`${url}/workflows`, WORKFLOW)
  const job = { workflow_id: id, name: 'j', command: 'x'.repeat(2 ** 20) }
  await expect(post(`${url}/bulk_jobs`, { jobs: [job] })).rejects.toThrow('413')
})

it('torc-server --daemon goes on in the background, with its process id and its log in files', async () => {
  const folder = emptyFolder()
  const words = [...ANY_PORT, '--database', 'd.db', '--daemon', '--pid-file', 'pid', '--log-dir', 'logs', '--json-logs']
  const starter = startTorcServer(folder, words)
  const url = await starter.url()
  expect(await starter.ended).toMatchObject({ code: 0 })
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'))
  afterTest(() => {
    if (existsSync(join(folder, 'pid'))) process.kill(pid, 'SIGKILL')
  })
  expect(pid).not.toBe(starter.child.pid)
  expect((await fetch(`${url}/ping`)).status).toBe(200)
  process.kill(pid, 'SIGTERM')
  await waitUntil(
    'it has removed its pid file',
    () => existsSync(join(folder, 'pid')),
    there => !there,
  )
  const lines = readFileSync(join(folder, 'logs/torc-server.log'), 'utf8').trim().split('\n')
  expect(lines.map(line => JSON.parse(line).message)).toEqual([
    expect.stringContaining('Serving'),
    expect.stringContaining('SIGTERM'),
  ])
})

it('torc-server --daemon ends with 1 when the background server cannot start', async () => {
  const words = [...ANY_PORT, '--database', ':memory:', '--daemon', '--pid-file', 'no/such/folder/pid']
  expect(await startTorcServer(emptyFolder(), words).ended).toMatchObject({ code: 1, stdout: '' })
})

it('torc-server service writes a unit of systemd and asks systemctl for the rest', async () => {
  const folder = emptyFolder()
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\necho "$*" >> "${folder}/asked"\n`, { mode: 0o755 })
  const env = { PATH: `${bin}:${process.env.PATH}`, XDG_CONFIG_HOME: join(folder, 'config') }
  const unit = join(folder, 'config/systemd/user/torc-server.service')
  const ask = (...words: string[]) => startTorcServer(folder, ['service', ...words], { env }).ended
  expect(await ask('install', '--user', '--database', 'my 100%.db', '--port', '9')).toMatchObject({ code: 0 })
  expect(readFileSync(unit, 'utf8')).toMatch(
    /^ExecStart="\/.+" "\/.+" "run" "--database" "my 100%%\.db" "--port" "9"$/m,
  )
  for (const verb of ['start', 'status', 'stop', 'uninstall'])
    expect(await ask(verb, '--user')).toMatchObject({ code: 0 })
  expect(existsSync(unit)).toBe(false)
  expect(readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n')).toEqual([
    '--user daemon-reload',
    '--user enable torc-server.service',
    '--user start torc-server.service',
    '--user status torc-server.service',
    '--user stop torc-server.service',
    '--user disable --now torc-server.service',
    '--user daemon-reload',
  ])
})

it('torc-server takes users from an htpasswd file and makes --admin-user a system administrator', async () => {
  const folder = emptyFolder()
  const users = ['ada', 'bob'].map(name => `${name}:${hashSync(`secret of ${name}`, 4)}`)
  writeFileSync(join(folder, 'users'), ['# made by torc-htpasswd', '', ...users].join('\n'))
  const flags = ['--auth-file', 'users', '--require-auth', '--enforce-access-control', '--admin-user', 'ada']
  const url = await startTorcServer(folder, [...ANY_PORT, '-d', ':memory:', ...flags]).url()
  const status = async (path: string, credentials?: string) => {
    const headers = credentials && { authorization: `Basic ${btoa(credentials)}` }
    return (await fetch(url + path, { headers: headers || {} })).status
  }
  expect(await status('/ping', 'ada:secret of ada')).toBe(200)
  expect(await status('/ping', 'ada:wrong')).toBe(401)
  expect(await status('/access_groups', 'ada:secret of ada')).toBe(200)
  expect(await status('/access_groups', 'bob:secret of bob')).toBe(403)
})

const hasOpenssl = (() => {
  try {
    return execFileSync('openssl', ['version']).length > 0
  } catch {
    return false
  }
})()

skipUnless(hasOpenssl, 'no openssl: TLS of torc-server')('torc-server --https speaks TLS', async () => {
  const folder = emptyFolder()
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']
  const words = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    key,
    '-out',
    cert,
    '-days',
    '1',
    ...subject,
  ]
  execFileSync('openssl', words, { stdio: 'ignore' })
  const flags = ['--database', ':memory:', '--https', '--tls-cert', cert, '--tls-key', key]
  const url = new URL(await startTorcServer(folder, [...ANY_PORT, ...flags]).url())
  const status = await new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: url.port, path: '/v1/ping', ca: readFileSync(cert) }, reply => {
      reply.resume()
      resolve(reply.statusCode)
    })
    asked.on('error', reject)
    asked.end()
  })
  expect(status).toBe(200)
})
