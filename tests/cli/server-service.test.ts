import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { renderUnit } from '../../runner/service/unit.ts'
import { skipUnless } from '../helpers/skip.ts'
import { openProgram, type Program } from './program.ts'
import { startServerOf } from './started-server.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

const UNIT = 'config/systemd/user/headrace.service'
const install = (...words: string[]) =>
  program.run(['server', 'install', ...words], { XDG_CONFIG_HOME: join(program.directory, 'config') })
const at = (path: string) => join(program.directory, path)

describe('runner server install', () => {
  test('--user writes a unit with whole paths and without a token, and prints it', async () => {
    const options = [
      '--output-dir',
      'data',
      '--port',
      '18080',
      '--host',
      '127.0.0.1',
      '--json-logs',
      '--admin-user',
      'ada',
      '--admin-user',
      'ben',
    ]
    const { code, stdout, stderr } = await program.run(['server', 'install', '--user', ...options], {
      XDG_CONFIG_HOME: at('config'),
      HEADRACE_TOKEN: 'a-secret-of-mine',
    })
    expect(code).toBe(0)
    expect(readFileSync(at(UNIT), 'utf8')).toBe(stdout)
    expect(stdout + stderr).not.toContain('a-secret-of-mine')
    expect(stderr).toContain('systemctl --user enable --now headrace.service')
    const [, words = ''] = /^ExecStart=(.*)$/m.exec(stdout)!
    expect(words.split(' ').slice(2)).toEqual(
      [
        'server',
        '--token-file',
        at('data/token'),
        ...['--host', '127.0.0.1', '--port', '18080'],
        '--output-dir',
        at('data'),
        '--admin-user',
        'ada',
        '--admin-user',
        'ben',
        '--json-logs',
      ].map(word => `"${word}"`),
    )
    expect(statSync(at('data')).mode & 0o777).toBe(0o700)
  })

  test('--dry-run prints the same and writes nothing', async () => {
    const dry = await install('--user', '--dry-run', '--output-dir', 'data')
    expect(dry.code).toBe(0)
    expect([existsSync(at('config')), existsSync(at('data'))]).toEqual([false, false])
    expect((await install('--user', '--output-dir', 'data')).stdout).toBe(dry.stdout)
  })

  test('leaves a unit that is there and differs alone, unless --force is given', async () => {
    mkdirSync(join(at(UNIT), '..'), { recursive: true })
    writeFileSync(at(UNIT), 'mine')
    expect(await install('--user')).toMatchObject({ code: 3, stderr: expect.stringContaining('--force') })
    expect(readFileSync(at(UNIT), 'utf8')).toBe('mine')
    expect((await install('--user', '--force')).code).toBe(0)
    expect((await install('--user')).code).toBe(0)
  })

  test('refuses what the server would refuse at its start', async () => {
    expect((await install()).code).toBe(2)
    expect((await install('--user', '--port', '70000')).code).toBe(2)
    expect((await install('--user', '--tls-cert', 'x')).code).toBe(2)
    expect(existsSync(at('config'))).toBe(false)
  })
})

const withSystemd = skipUnless(hasSystemdAnalyze(), 'systemd-analyze is not installed: units are not verified')

withSystemd('renderUnit() writes a unit that systemd takes, whatever stands in its paths', async () => {
  const directory = at(`a b%$"'\\;x`)
  mkdirSync(directory)
  writeFileSync(
    at('headrace-test.service'),
    renderUnit({ words: [process.execPath, 'server', '--output-dir', directory], directory }),
  )
  const env = { ...process.env, XDG_RUNTIME_DIR: program.directory }
  const said = execFileSync('systemd-analyze', ['--user', '--man=no', 'verify', at('headrace-test.service')], {
    env,
    stdio: 'pipe',
  })
  expect(said.toString()).toBe('')
})

function hasSystemdAnalyze(): boolean {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

test('runner server with --token-rate tells a token that writes faster to come later', async () => {
  const server = await startServerOf(program, ['--port', '0', '--token-rate', '1', '--output-dir', 'served'])
  const post = (path: string, body: object, token?: string) =>
    fetch(`${server.url}/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    })
  const { token } = (await (await post('/tokens', { name: 'n', scopes: ['write'] })).json()) as { token: string }
  const replies = await Promise.all(
    Array.from({ length: 8 }, () => post('/workflows', { name: 'w', user: 'u' }, token)),
  )
  const statuses = replies.map(reply => reply.status).sort()
  expect(statuses.slice(0, 2)).toEqual([200, 200])
  expect(statuses.at(-1)).toBe(429)
  expect(await server.stop()).toBe(0)
})

test('runner server with --json-logs says everything in lines of JSON, and ends with 0 when told to stop', async () => {
  const server = await startServerOf(program, ['--port', '0', '--json-logs', '--output-dir', 'served'])
  await fetch(`${server.url}/v1/ping`)
  expect(await server.stop()).toBe(0)
  const lines = server
    .said()
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(lines).toMatchObject([
    { level: 'info', message: expect.stringContaining('Serving') },
    { level: 'info', message: 'request', path: '/v1/ping', status: 200 },
  ])
})
