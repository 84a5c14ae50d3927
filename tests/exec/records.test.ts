import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createAppTransport } from '../../runner/client/app-transport.ts'
import { noReply } from '../../runner/client/reply.ts'
import { type Client, createClient, type Reply } from '../../runner/client.ts'
import { Forwarder, type SendBatch } from '../../runner/exec/forwarder.ts'
import { RecordOutbox } from '../../runner/exec/outbox.ts'
import type { LaunchRecord } from '../../runner/exec/record.ts'
import { RecordSender } from '../../runner/exec/send-records.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedWorkflow } from '../helpers/seed.ts'

let directory: string
let path: string
let t: TestApp
let client: Client
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-records-'))
  path = join(directory, 'exec.jsonl')
  t = await testApp()
  client = createClient(createAppTransport(t.app), { attempts: 1 })
})
afterEach(async () => {
  await t.close()
  rmSync(directory, { recursive: true, force: true })
})

const record = (id: string, fields: Partial<LaunchRecord> = {}): LaunchRecord => ({
  id,
  command: `run ${id}`,
  return_code: 0,
  cpus: 1,
  cores: [0],
  gpus: [],
  memory_bytes: 0,
  asked_at: 1_000,
  started_at: 2_000,
  exited_at: 8_000,
  ...fields,
})

const lines = (): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean)
const sender = (): SendBatch => {
  const records = new RecordSender({ cpus: 8, memoryBytes: 2 ** 30, gpus: 0 })
  return (...batch) => records.send(client, ...batch)
}

test('RecordOutbox writes a line for each record, in batches', () => {
  const outbox = new RecordOutbox(path)
  outbox.add(record('a'))
  outbox.add(record('b'))
  expect(outbox.waiting).toBe(2)
  outbox.flush()
  expect(lines().map(line => JSON.parse(line).id)).toEqual(['a', 'b'])
})

test('RecordOutbox keeps records while the disk is full, drops the oldest when they are too many, and counts them', () => {
  mkdirSync(path)
  const outbox = new RecordOutbox(path)
  for (let i = 0; i < 20_003; i++) outbox.add(record(String(i)))
  outbox.flush()
  rmSync(path, { recursive: true })
  outbox.flush()
  expect(outbox.dropped).toBe(3)
  expect(lines()).toHaveLength(20_000)
  expect(JSON.parse(lines()[0]!).id).toBe('3')
})

test('RecordOutbox does not go on with a line that a crash tore', () => {
  writeFileSync(path, `${JSON.stringify(record('whole'))}\n{"id":"to`)
  const outbox = new RecordOutbox(path)
  outbox.add(record('next'))
  outbox.flush()
  expect(lines().at(-1)).toBe(JSON.stringify(record('next')))
})

test('Forwarder adds records to their workflow as jobs that have ended, with their results', async () => {
  const workflow = await seedWorkflow(t)
  const outbox = new RecordOutbox(path)
  outbox.add(record('a', { workflow_id: workflow, user_ms: 1500, system_ms: 500, peak_memory_bytes: 4096 }))
  outbox.add(record('kept here'))
  outbox.add(record('b', { workflow_id: workflow, return_code: 137 }))
  outbox.flush()
  expect(await new Forwarder(outbox, sender()).pass()).toBe(true)
  const { body: jobs } = await t.get(`/jobs?workflow_id=${workflow}`)
  expect(jobs.items.map((job: { command: string; status: string }) => [job.command, job.status])).toEqual([
    ['run a', 'completed'],
    ['run b', 'failed'],
  ])
  const { body: results } = await t.get(`/results?workflow_id=${workflow}`)
  expect(results.items).toMatchObject([
    { return_code: 0, exec_time_minutes: 0.1, user_seconds: 1.5, system_seconds: 0.5, peak_memory_bytes: 4096 },
    { return_code: 137, failure_class: 'signal' },
  ])
  // Nothing is sent twice.
  expect(await new Forwarder(outbox, sender()).pass()).toBe(true)
  expect((await t.get(`/jobs?workflow_id=${workflow}`)).body.total_count).toBe(2)
})

test('S88 Forwarder sends later what a control plane that was away did not take', async () => {
  const workflow = await seedWorkflow(t)
  const outbox = new RecordOutbox(path)
  for (let i = 0; i < 50; i++) outbox.add(record(String(i), { workflow_id: workflow }))
  outbox.flush()
  let away = true
  const send = sender()
  const forwarder = new Forwarder(outbox, async (...batch) => (away ? 'later' : send(...batch)))
  expect(await forwarder.pass()).toBe(false)
  away = false
  expect(await forwarder.pass()).toBe(true)
  expect((await t.get(`/jobs?workflow_id=${workflow}&status=completed`)).body.total_count).toBe(50)
})

test.each([1, 2, 3, 4])('Forwarder sends nothing twice when it dies after request %i', async survived => {
  const workflow = await seedWorkflow(t)
  const outbox = new RecordOutbox(path)
  for (let i = 0; i < 5; i++) outbox.add(record(String(i), { workflow_id: workflow }))
  outbox.flush()
  let requests = 0
  const dying: Client = {
    async request<T>(...words: Parameters<Client['request']>): Promise<Reply<T>> {
      const reply = await client.request<T>(...words)
      return ++requests < survived ? reply : noReply(new Error('no answer'))
    },
    close: async () => {},
  }
  const before = new RecordSender({ cpus: 8, memoryBytes: 2 ** 30, gpus: 0 })
  expect(await new Forwarder(outbox, (...batch) => before.send(dying, ...batch)).pass()).toBe(false)
  expect(await new Forwarder(outbox, sender()).pass()).toBe(true)
  const { body } = await t.get(`/jobs?workflow_id=${workflow}`)
  expect(body.items.map((job: { command: string; status: string }) => [job.command, job.status])).toEqual(
    [0, 1, 2, 3, 4].map(i => [`run ${i}`, 'completed']),
  )
})

test('Forwarder counts and passes over what a workflow will never take', async () => {
  const outbox = new RecordOutbox(path)
  outbox.add(record('a', { workflow_id: 99 }))
  outbox.flush()
  const forwarder = new Forwarder(outbox, sender())
  expect(await forwarder.pass()).toBe(true)
  expect(forwarder.refused).toBe(1)
})
