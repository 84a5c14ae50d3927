import { expect, it } from 'vitest'
import { readServeOptions } from '../../runner/service/serve-options.ts'

type Given = Parameters<typeof readServeOptions>[0]

const PLACE = { db: 'http://db.example.org:8081' }
const read = (args: Record<string, string | boolean>, env: NodeJS.ProcessEnv = {}) =>
  readServeOptions({ _: [], ...args } as unknown as Given, [], env).databasePerProject

it('readServeOptions() gives each project a database only when asked, and takes the key from the environment or a file', () => {
  expect(read(PLACE, { HEADRACE_DB_ADMIN_KEY: 'k' })).toBeUndefined()
  const asked = { ...PLACE, 'database-per-project': true }
  expect(read(asked)).toEqual({ adminUrl: undefined, adminKey: undefined, adminKeyPath: undefined })
  const admin = { ...asked, 'db-admin-url': 'http://127.0.0.1:8082' }
  expect(read(admin, { HEADRACE_DB_ADMIN_KEY: 'k' })).toMatchObject({
    adminUrl: 'http://127.0.0.1:8082',
    adminKey: 'k',
  })
  expect(read({ ...admin, 'db-admin-key-file': '/etc/key' })).toMatchObject({ adminKeyPath: '/etc/key' })
})

it('readServeOptions() refuses an address for databases that nobody asked for, and one that is none', () => {
  expect(() => read({ ...PLACE, 'db-admin-url': 'http://127.0.0.1:8082' })).toThrow(/--database-per-project/)
  expect(() => read({ ...PLACE, 'database-per-project': true, 'db-admin-url': '127.0.0.1:8082' })).toThrow(
    /--db-admin-url takes an http:/,
  )
})
