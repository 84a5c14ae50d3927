import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { misfits, type Schema } from '../helpers/json-schema.ts'
import { openProgram, type Program } from './program.ts'

const schemas: { commands: Record<string, Schema>; $defs: Record<string, Schema> } = JSON.parse(
  readFileSync(new URL('../../docs/cli-output.schema.json', import.meta.url), 'utf8'),
)
const FLOW = 'name: flow\njobs:\n  - { name: a, command: "true" }\n'

let program: Program
beforeAll(async () => {
  program = openProgram()
  writeFileSync(join(program.directory, 'flow.yaml'), FLOW)
  expect((await program.run(['run', 'flow.yaml'])).code).toBe(0)
})
afterAll(() => program.close())

test('runner server backup, check, restore and move look after a database, and say what they did', async () => {
  const backup = await program.run(['server', 'backup', 'copy.db'])
  expect(backup).toMatchObject({ code: 0, stderr: '' })
  expect(backup.stdout).toMatch(/^Wrote .*copy\.db \(.*\) from .*headrace\.db\n$/)
  expect(await program.run(['server', 'backup', 'copy.db'])).toMatchObject({ code: 3, stdout: '' })
  expect((await program.run(['server', 'check', '--db', 'copy.db'])).stdout).toMatch(/^All is well in .*copy\.db\n$/)
  const restored = await program.run(['server', 'restore', 'copy.db'])
  expect(restored.stdout).toMatch(/^Restored .*headrace\.db; what was there is now .*\.before-/)
  const moved = await program.run(['server', 'move', 'headrace_output/headrace.db', 'moved.db'])
  expect(moved.stdout).toMatch(/^Copied [\d,]+ rows in \d+ tables from /)
  expect((await program.run(['list', '--db', 'moved.db'])).stdout).toContain('flow')
})

test.each([
  [['server', 'check', '--db', 'missing.db'], 3, /Cannot find a database/],
  [['server', 'restore', 'missing.db'], 3, /no file/],
  [['server', 'restore', 'flow.yaml'], 3, /Cannot restore/],
  [['server', 'move', 'missing.db', 'b.db'], 3, /Cannot find a database/],
  [['server', 'purge'], 2, /older-than/],
  [['server', 'purge', '--older-than', 'soon'], 2, /duration/],
  [['server', 'backup'], 2, /FILE/i],
] as const)('runner %j says in one line why it cannot', async (words, code, why) => {
  const ended = await program.run(words)
  expect(ended.code).toBe(code)
  expect(ended.stdout).toBe('')
  expect(ended.stderr).toMatch(why)
  expect(ended.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
})

test('runner webhooks makes one on a server, which then tells the receiver what happens', async () => {
  const told: { events: { type: string }[] }[] = []
  const receiver = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      told.push(JSON.parse(text))
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const address = `http://localhost:${(receiver.address() as AddressInfo).port}/hook`
  const hosts = ['--webhook-host', 'localhost', '--webhook-inside']
  const server = program.start(['server', '--port', '0', '--db', 'hooks.db', ...hosts])
  try {
    const [line] = (await once(server.stderr!, 'data')) as [Buffer]
    const url = /http:\S+?(?=,)/.exec(String(line))![0]
    expect((await program.run(['create', 'flow.yaml', '--url', url])).code).toBe(0)
    const words = ['1', '--events', 'workflow_ended', '--url', url, '--format', 'json']
    const refused = await program.run(['webhooks', 'create', '--address', 'https://example.org', ...words])
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    expect(refused.stderr).toContain('localhost')
    const { stdout } = await program.run(['webhooks', 'create', '--address', address, ...words])
    const hook = JSON.parse(stdout)
    expect(hook.secret).toMatch(/^whsec_/)
    for (const name of ['create', 'list', 'get']) expect(Object.keys(schemas.commands)).toContain(`webhooks ${name}`)
    expect(misfits(hook, schemas.commands['webhooks create']!, schemas.$defs)).toEqual([])
    expect((await program.run(['run', '1', '--url', url])).code).toBe(0)
    await expect.poll(() => told, { timeout: 10_000 }).toMatchObject([{ events: [{ type: 'workflow_ended' }] }])
    const gone = await program.run(['webhooks', 'delete', String(hook.id), '--workflow', '1', '--url', url])
    expect(gone.code).toBe(0)
  } finally {
    server.kill('SIGKILL')
    receiver.close()
  }
})
