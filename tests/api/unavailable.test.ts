import { expect, it } from 'vitest'
import { createApp } from '../../api/app.ts'
import { refusalOfDatabase } from '../../api/unavailable.ts'
import type { Db } from '../../db/unit.ts'

const failing = (error: Error): Db => ({
  read: () => Promise.reject(error),
  write: () => Promise.reject(error),
  writeTransactions: 0,
  close: async () => {},
})

const sqlite = (code: string) => Object.assign(new Error('secret detail'), { code })

it('S93 refusalOfDatabase() answers 503 with Retry-After on a full disk and an overloaded database', async () => {
  for (const code of ['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT']) {
    const response = await createApp({ db: failing(sqlite(code)), version: 'x' }).request('/v1/workflows')
    expect(response.status, code).toBe(503)
    expect(response.headers.get('retry-after')).toBe('5')
    // Old clients spend their quick retries on these words.
    expect(await response.text()).not.toMatch(/locked|busy|secret/i)
  }
})

it('onError() answers 500 without details on a fault of ours, and tells it to onFault', async () => {
  const told: unknown[] = []
  const fault = new Error('secret detail')
  const app = createApp({ db: failing(fault), version: 'x', onFault: error => told.push(error) })
  const response = await app.request('/v1/workflows')
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('secret')
  expect(told).toEqual([fault])
})

it('refusalOfDatabase() leaves other errors alone', () => {
  expect(refusalOfDatabase(sqlite('SQLITE_CONSTRAINT'))).toBeUndefined()
  expect(refusalOfDatabase('text')).toBeUndefined()
})
