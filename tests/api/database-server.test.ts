import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openUpToDate, readDatabaseToken } from '../../api/node/database-server.ts'
import { StartError, startServer } from '../../api/node.ts'
import { sendStatements } from '../../db/hrana.ts'
import type { Statement } from '../../db/unit.ts'
import { testApp } from '../helpers/app.ts'
import { openSqldDb } from '../helpers/back-end.ts'
import { startSqld } from '../helpers/sqld.ts'
import { independent, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-token-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const fileWith = (text: string): string => {
  const path = join(folder, 'token')
  writeFileSync(path, text)
  return path
}

it('readDatabaseToken() reads a token and leaves the blanks around it away', () => {
  expect(readDatabaseToken(fileWith(' abc.def\n'))).toBe('abc.def')
})

it('readDatabaseToken() refuses a file that is empty or absent', () => {
  expect(() => readDatabaseToken(fileWith('\n'))).toThrow(StartError)
  expect(() => readDatabaseToken(join(folder, 'none'))).toThrow(StartError)
})

it('startServer() refuses admin SQL over a database server, and has let go of it', async () => {
  const sqld = await startSqld()
  try {
    const options = { dbPath: sqld.url, durability: 'process', log: () => undefined } as const
    const access = { enforce: true, adminUsers: ['ada'], adminSql: true }
    await expect(startServer({ ...options, access })).rejects.toThrow(/admin SQL/)
    const server = await startServer(options)
    expect((await fetch(`${server.url}/v1/ping`)).status).toBe(200)
    await server.close()
  } finally {
    await sqld.stop()
  }
})

it.each([
  ['gives every lease its full time again when nobody has written for long', 60, 'running'],
  ['leaves leases alone beside a control plane that writes', 0, 'ready'],
])('openUpToDate() %s', async (_, silentSeconds, status) => {
  const test = await openSqldDb()
  const t = await testApp({}, async () => test)
  try {
    t.clock.now = Date.now() - 600_000
    const { workflowId, nodeId } = await startWorkflow(t, workflowOf(independent(1)))
    const claim = { compute_node_id: nodeId, lease_seconds: 60, start: true }
    await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=1`, claim)
    // Not through the app, whose writes leave a receipt of now.
    const age: Statement = { sql: 'UPDATE write_receipt SET at = at - ?', args: [silentSeconds] }
    await sendStatements({ url: test.sqld.url, timeoutMs: 10_000 }, undefined, [age], true)
    await (await openUpToDate({ url: test.sqld.url })).close()
    expect(await statusesOf(t, workflowId)).toEqual([status])
  } finally {
    await t.close()
  }
})
