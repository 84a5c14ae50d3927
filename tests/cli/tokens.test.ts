import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ended, openProgram, type Program } from './program.ts'
import { type StartedServer, startServerOf } from './started-server.ts'

let program: Program
let server: StartedServer

beforeAll(async () => {
  program = openProgram()
  server = await startServerOf(program, ['--port', '0', '--output-dir', 'served'])
})
afterAll(async () => {
  await server.stop()
  program.close()
})

const run = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  program.run([...words, '--url', server.url], env)

async function json(...words: string[]) {
  const { code, stdout, stderr } = await run([...words, '--format', 'json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

test('runner tokens makes, shows, rotates and revokes tokens; the text of one is told once', async () => {
  const made = await json('tokens', 'create', 'ci', '--scope', 'read,write', '--scope', 'claim', '--expires', '1h')
  expect(made).toMatchObject({ name: 'ci', scopes: ['read', 'write', 'claim'], token: expect.stringMatching(/^hr_/) })
  const env = { HEADRACE_TOKEN: made.token }
  expect(await run(['list'], env)).toMatchObject({ code: 0 })

  const rotated = await json('tokens', 'rotate', String(made.id))
  expect(rotated.token).not.toBe(made.token)
  expect(await run(['list'], env)).toMatchObject({ code: 3, stdout: '' })
  const { token: _, ...shown } = rotated
  expect(await json('tokens', 'get', String(made.id))).toEqual(shown)
  expect((await json('tokens', 'list')).items).toMatchObject([{ id: made.id, status: 'active' }])

  expect((await run(['tokens', 'revoke', String(made.id)])).stdout).toBe(`Revoked token ${made.id}: ci.\n`)
  // Who holds it is told what has come of it.
  const late = await run(['list'], { HEADRACE_TOKEN: rotated.token })
  expect(late).toMatchObject({ code: 3, stderr: expect.stringContaining('revoked') })
  expect((await json('tokens', 'list')).items).toEqual([])
  expect((await json('tokens', 'list', '--all')).items).toMatchObject([{ id: made.id, status: 'revoked' }])
  expect((await run(['tokens', 'list'])).stdout).toBe('No tokens.\n')
})

test('runner tokens create prints the token and nothing else, or puts it into a private file', async () => {
  expect((await run(['tokens', 'create', 'a'])).stdout).toMatch(/^hr_\d+_\w{49}\n$/)
  const { stdout } = await run(['tokens', 'create', 'b', '--scope', 'read', '--out', 'token'])
  expect(stdout).toMatch(/^Wrote token \d+ to token\.\n$/)
  const path = join(program.directory, 'token')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readFileSync(path, 'utf8')).toMatch(/^hr_\d+_\w{49}\n$/)
  expect(await run(['list'], { HEADRACE_TOKEN_FILE: path })).toMatchObject({ code: 0 })
  // A file that is there already is somebody's.
  const { items: before } = await json('tokens', 'list')
  const again = await run(['tokens', 'create', 'c', '--out', 'token'])
  expect(again).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('already') })
  const { id } = before.find(({ name }: { name: string }) => name === 'b')
  expect(await run(['tokens', 'rotate', String(id), '--out', 'token'])).toMatchObject({ code: 3 })
  // Nothing was made whose text nobody has, and the old secret still opens.
  expect((await json('tokens', 'list')).count).toBe(before.length)
  expect(await run(['list'], { HEADRACE_TOKEN_FILE: path })).toMatchObject({ code: 0 })
})

test.each([
  [['tokens', 'create', 'x', '--scope', 'root'], 'read or write or claim or admin'],
  [['tokens', 'create', 'x', '--expires', 'soon'], 'duration'],
  [['tokens', 'create', 'x', '--workflow', 'flow'], 'whole number'],
  [['tokens', 'revoke', 'x'], 'whole number'],
  [['tokens', 'mint', '1', '--kind', 'root'], 'runner or job'],
])('%j is a mistake in the command line', async (words, said) => {
  expect(await run(words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(said) })
})

test('a token file that cannot be used is told in one line', async () => {
  for (const path of ['missing', 'served']) {
    const { code, stderr } = await run(['list'], { HEADRACE_TOKEN_FILE: path })
    expect([code, stderr.trim().split('\n').length, stderr]).toEqual([
      3,
      1,
      expect.stringContaining('HEADRACE_TOKEN_FILE'),
    ])
  }
})

test('a runner with a minted token runs its workflow; a job sees a token of its own that opens that workflow alone', async () => {
  const flow = (name: string) => `
name: ${name}
jobs:
  - name: look
    command: >-
      echo "token $HEADRACE_TOKEN file $HEADRACE_TOKEN_FILE"; test "$HEADRACE_TOKEN" = "$TORC_PASSWORD"
`
  await program.run(['create', '-', '--url', server.url], {}, flow('first'))
  await program.run(['create', '-', '--url', server.url], {}, flow('second'))
  const [first, second] = (await json('list')).items.map((item: { id: number }) => String(item.id)).sort()
  await run(['tokens', 'mint', first!, '--expires', '1h', '--out', 'runner-token'])
  const env = { HEADRACE_TOKEN_FILE: join(program.directory, 'runner-token') }
  const ran = await run(['run', first!, '--output-dir', 'out'], env)
  expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('all 1 job completed') })

  const said = (await run(['logs', 'look', '--workflow', first!, '--output-dir', 'out'])).stdout
  const own = /token (hr_\d+_\w{49}) file *$/m.exec(said)?.[1]
  expect(own, said).toBeDefined()
  expect(readFileSync(env.HEADRACE_TOKEN_FILE, 'utf8')).not.toContain(own)
  expect(await run(['status', first!], { HEADRACE_TOKEN: own })).toMatchObject({ code: 0 })
  expect(await run(['status', second!], { HEADRACE_TOKEN: own })).toMatchObject({ code: 3 })
  const other = await run(['run', second!, '--output-dir', 'other'], env)
  expect(other).toMatchObject({ stdout: '', stderr: expect.stringContaining('no right') })
  expect(other.code).toBeGreaterThan(0)
})
