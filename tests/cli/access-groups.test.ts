import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import bcrypt from 'bcryptjs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ended, openProgram, type Program } from './program.ts'
import { type StartedServer, startServerOf } from './started-server.ts'

let program: Program
let server: StartedServer

const USERS = ['root', 'ada', 'ben']

beforeAll(async () => {
  program = openProgram()
  const users = USERS.map(name => `${name}:${bcrypt.hashSync(`pw-${name}`, 4)}\n`).join('')
  writeFileSync(join(program.directory, 'users.htpasswd'), users)
  writeFileSync(join(program.directory, 'flow.yaml'), 'name: flow\njobs:\n  - name: a\n    command: "true"\n')
  server = await startServerOf(program, [
    ...['--port', '0', '--output-dir', 'served', '--auth-file', 'users.htpasswd', '--require-auth'],
    ...['--enforce-access-control', '--admin-user', 'root', '--admin-user', 'chief', '--enable-admin-sql'],
  ])
})
afterAll(async () => {
  await server.stop()
  program.close()
})

/** A command line as this user gives it. */
const as = (user: string, ...words: string[]): Promise<Ended> =>
  program.run([...words, '--url', server.url], { USER: user, TORC_PASSWORD: `pw-${user}`, TORC_USERNAME: undefined })

async function json(user: string, ...words: string[]) {
  const { code, stdout, stderr } = await as(user, ...words, '--format', 'json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

test('runner access-groups makes groups, fills them and shares workflows with them', async () => {
  const { workflow_id } = await json('ada', 'create', 'flow.yaml')
  expect((await json('ben', 'list')).items).toEqual([])

  const group = await json('root', 'access-groups', 'create', 'crew', '--description', 'rivers')
  expect(group).toMatchObject({ name: 'crew', description: 'rivers' })
  expect(await json('root', 'access-groups', 'get', 'crew')).toEqual(group)
  expect((await json('root', 'access-groups', 'list')).items.map((item: { name: string }) => item.name)).toEqual([
    'admin',
    'crew',
  ])
  expect(await json('root', 'access-groups', 'add-user', 'crew', 'ben')).toMatchObject({ role: 'member' })
  await json('root', 'access-groups', 'add-user', 'crew', 'ada', '--role', 'admin')
  expect((await json('root', 'access-groups', 'members', 'crew')).items).toMatchObject([
    { user_name: 'ada', role: 'admin' },
    { user_name: 'ben', role: 'member' },
  ])
  expect((await json('ben', 'access-groups', 'list-user-groups', 'ben')).items).toEqual([group])

  const link = await json('ada', 'access-groups', 'add-workflow', String(group.id), String(workflow_id))
  expect(link).toMatchObject({ workflow_id, group_id: group.id })
  expect((await json('ben', 'list')).items).toMatchObject([{ id: workflow_id, user: 'ada' }])
  expect((await json('ben', 'access-groups', 'list-workflow-groups', String(workflow_id))).count).toBe(1)
  await json('ada', 'access-groups', 'remove-workflow', String(group.id), String(workflow_id))
  const refused = await as('ben', 'status', String(workflow_id))
  expect(refused).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('no right') })

  expect(await json('ada', 'access-groups', 'remove-user', String(group.id), 'ben')).toMatchObject({ user_name: 'ben' })
  expect((await as('root', 'access-groups', 'delete', 'crew')).stdout).toBe(`Deleted access group ${group.id}: crew.\n`)
})

test('runner access-groups says in one line what cannot be done', async () => {
  expect(await as('ada', 'access-groups', 'create', 'x')).toEqual({
    code: 3,
    stdout: '',
    stderr: 'Cannot do this as only system administrators may\n',
  })
  expect((await as('root', 'access-groups', 'get', 'nix')).stderr).toContain('Cannot find an access group named nix')
  expect((await as('root', 'access-groups', 'add-user', '1', 'ben', '--role', 'king')).code).toBe(2)
})

test('commands prove who calls with TORC_PASSWORD, and say what is wanted when that is wrong or missing', async () => {
  for (const env of [{ TORC_PASSWORD: undefined }, { TORC_PASSWORD: 'wrong' }]) {
    const { code, stderr } = await program.run(['list', '--url', server.url], { USER: 'ada', ...env })
    expect({ code, says: stderr.includes('TORC_PASSWORD') }).toEqual({ code: 3, says: true })
    expect(stderr).not.toContain('wrong')
  }
  const named = { USER: 'ben', TORC_USERNAME: 'ada', TORC_PASSWORD: 'pw-ada' }
  expect((await program.run(['list', '--url', server.url], named)).code).toBe(0)
})

test('a runner works for its user on a server that keeps users apart', async () => {
  const { code, stderr } = await as('ada', 'run', 'flow.yaml', '--output-dir', 'adas', '--new')
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const { items } = await json('ada', 'list')
  expect(items.every((item: { user: string }) => item.user === 'ada')).toBe(true)
})

test('runner admin reloads passwords, reads by SQL and lists what was read, for administrators', async () => {
  expect(await json('root', 'admin', 'reload-auth')).toMatchObject({ user_count: USERS.length })
  expect(await json('root', 'admin', 'sql', 'SELECT name FROM access_group ORDER BY id')).toMatchObject({
    items: [{ name: 'admin' }],
  })
  expect((await json('root', 'admin', 'audit-log')).items).toMatchObject([{ user_name: 'root', success: true }])
  expect((await json('root', 'admin', 'calls')).items[0]).toMatchObject({
    user_name: 'root',
    operation: 'POST /admin/reload-auth',
  })
  expect((await as('ada', 'admin', 'sql', 'SELECT 1')).code).toBe(3)
})

test('runner server refuses --require-auth without --auth-file', async () => {
  const { code, stderr } = await program.run(['server', '--port', '0', '--require-auth', '--output-dir', 'x'])
  expect({ code, stderr }).toEqual({
    code: 3,
    stderr: 'Cannot require passwords without a file of them: name one with --auth-file\n',
  })
})
