import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deliver } from '../../../runner/outbox/deliver.ts'
import { deliverLeftover } from '../../../runner/outbox/leftovers.ts'
import { openOutbox } from '../../../runner/outbox/outbox.ts'
import { withOutbox } from '../../../runner/outbox/outbox-api.ts'
import { KEPT_AFTER_ANSWER_MS, readOutboxFile, unanswered } from '../../../runner/outbox/outbox-file.ts'
import { reconcile } from '../../../runner/outbox/reconcile.ts'
import { formatOutboxRecord, type OutboxHeader, parseOutboxRecord, rangesOf } from '../../../runner/outbox/records.ts'
import type { CompletionEntry, ExchangeReply } from '../../../runner/wire.ts'
import { createFakeClient, refusal } from '../fake-client.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-outbox-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A process id that no process has: the kernel's largest is 2^22. */
const NOBODY = 2 ** 22 + 1
const HEADER: OutboxHeader = { version: 1, host: hostname(), pid: NOBODY, workflow_id: 1, compute_node_id: 1 }
const clock = { now: 1_700_000_000_000 }

const open = (header = HEADER) =>
  openOutbox({ directory, header, durability: 'process', clock: () => clock.now, onTrouble: fail })

function fail(message: string): never {
  throw new Error(message)
}

const entryOf = (jobId: number, workflowId = 1): CompletionEntry => ({
  job_id: jobId,
  status: 'completed',
  run_id: 0,
  claim_token: `t.${jobId}`,
  result: {
    job_id: jobId,
    workflow_id: workflowId,
    run_id: 0,
    attempt_id: 1,
    compute_node_id: 1,
    return_code: 0,
    exec_time_minutes: 0.5,
    completion_time: '2026-01-01T00:00:00Z',
    status: 'completed',
  },
  usage: {},
  phase_times: { exited: 1 },
})

/** Answers every entry with a verdict by its path. */
const answering = (codeOf: (path: string) => string) =>
  createFakeClient((method, path, body) => {
    if (method !== 'POST' || !path.endsWith('/batch_complete_jobs')) return refusal(404, 'nothing here')
    const { completions } = body as { completions: CompletionEntry[] }
    const verdicts = completions.map(({ job_id }, index) => ({ index, job_id, code: codeOf(path) }))
    return { completed: [], errors: [], verdicts }
  })

const onlyFile = (): string => join(directory, readdirSync(directory)[0]!)
const waitingIn = (path: string, epoch?: string): number[] =>
  unanswered(readOutboxFile(path)!, epoch).map(({ entry }) => entry.job_id)

test('openOutbox() has a completion on disk after a flush, and answered ones stay for another database', () => {
  const outbox = open()
  const entries = [1, 2, 3].map(id => entryOf(id))
  for (const entry of entries) outbox.add(entry)
  outbox.flush()
  expect(readOutboxFile(onlyFile())!.entries.map(({ entry }) => entry)).toEqual(entries)
  outbox.answered(entries.slice(0, 2), 'first')
  expect(waitingIn(onlyFile())).toEqual([3])
  expect(waitingIn(onlyFile(), 'first')).toEqual([3])
  expect(waitingIn(onlyFile(), 'second')).toEqual([1, 2, 3])
  outbox.close()
})

test('openOutbox() has a completion on disk by itself soon after it was added', async () => {
  const outbox = open()
  outbox.add(entryOf(1))
  await new Promise(resolve => setImmediate(resolve))
  expect(waitingIn(onlyFile())).toEqual([1])
  outbox.close()
})

test('openOutbox() begins another file when one is large, and what waits moves there', () => {
  const outbox = open()
  const long = { ...entryOf(1), claim_token: 'x'.repeat(9 * 2 ** 20) }
  const waiting = entryOf(2)
  outbox.add(long)
  outbox.add(waiting)
  outbox.flush()
  const first = onlyFile()
  clock.now++
  outbox.answered([long], 'e')
  const [, second] = outbox.files()
  expect(waitingIn(first)).toEqual([])
  expect(waitingIn(second!)).toEqual([2])
  outbox.answered([waiting], 'e')
  expect(waitingIn(second!)).toEqual([])
  outbox.close()
})

test('openOutbox() has what waits on disk at every moment while it begins another file', () => {
  const seen: number[][] = []
  const outbox = openOutbox({
    directory,
    header: HEADER,
    durability: 'process',
    // It asks for the time before each step.
    clock: () => {
      seen.push(readdirSync(directory).flatMap(name => waitingIn(join(directory, name))))
      return ++clock.now
    },
    onTrouble: fail,
  })
  const long = { ...entryOf(1), claim_token: 'x'.repeat(9 * 2 ** 20) }
  outbox.add(long)
  outbox.add(entryOf(2))
  outbox.flush()
  seen.length = 0
  outbox.answered([long], 'e')
  expect(outbox.files()).toHaveLength(2)
  expect(seen.length).toBeGreaterThan(2)
  for (const waiting of seen) expect(waiting).toContain(2)
  outbox.close()
})

test('openOutbox() removes a full file ten minutes after it was left, with the next one that is full', () => {
  const outbox = open()
  const fill = (id: number): void => {
    const long = { ...entryOf(id), claim_token: 'x'.repeat(9 * 2 ** 20) }
    outbox.add(long)
    outbox.flush()
    clock.now++
    outbox.answered([long], 'e')
  }
  fill(1)
  const [first] = outbox.files()
  clock.now += KEPT_AFTER_ANSWER_MS - 10
  fill(2)
  expect(outbox.files()).toContain(first)
  clock.now += 10
  fill(3)
  expect(outbox.files()).not.toContain(first)
  expect(outbox.files()).toHaveLength(3)
  outbox.close()
})

test('parseOutboxRecord() reads back what was written, and nothing that was torn or changed', () => {
  const record = { type: 'entry' as const, seq: 7, entry: entryOf(3) }
  const line = formatOutboxRecord(record).trimEnd()
  expect(parseOutboxRecord(line)).toEqual(record)
  fc.assert(
    fc.property(fc.nat(line.length - 1), fc.constantFrom('x', '0', ' '), (at, character) => {
      const changed = line.slice(0, at) + character + line.slice(at + 1)
      expect(parseOutboxRecord(line.slice(0, at))).toBeUndefined()
      if (changed !== line) expect(parseOutboxRecord(changed)).toBeUndefined()
    }),
  )
})

test('rangesOf() covers exactly the numbers given', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(40)), seqs => {
      const covered = rangesOf(seqs).flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, k) => first + k),
      )
      expect(covered).toEqual([...seqs].sort((a, b) => a - b))
    }),
  )
})

test('readOutboxFile() reads what is whole of a file that a crash tore anywhere, and counts the torn line', () => {
  const outbox = open()
  for (const id of [1, 2, 3]) outbox.add(entryOf(id))
  outbox.close()
  const whole = readFileSync(onlyFile())
  const headEnd = whole.indexOf(10) + 1
  for (let length = headEnd; length <= whole.length; length += 37) {
    truncateSync(onlyFile(), length)
    const file = readOutboxFile(onlyFile())!
    expect(file.entries.map(({ seq }) => seq)).toEqual([1, 2, 3].slice(0, file.entries.length))
    expect(file.torn).toBeLessThanOrEqual(1)
    writeFileSync(onlyFile(), whole)
  }
})

test('S73 deliverLeftover() tells what an earlier runner could not, once', async () => {
  const outbox = open()
  for (const id of [1, 2, 3]) outbox.add(entryOf(id))
  outbox.close()
  appendFileSync(onlyFile(), 'E 4 {"job_id":4')
  const { client, sent } = answering(() => 'accepted')
  const first = await deliverLeftover(client, onlyFile(), { epoch: 'e', now: clock.now })
  expect(first).toMatchObject({ entries: 3, offered: 3, accepted: 3, torn: 1 })
  const second = await deliverLeftover(client, onlyFile(), { epoch: 'e', now: clock.now })
  expect(second).toMatchObject({ offered: 0 })
  expect(sent).toHaveLength(1)
  await deliverLeftover(client, onlyFile(), { epoch: 'e', now: clock.now + KEPT_AFTER_ANSWER_MS })
  expect(readdirSync(directory)).toEqual([])
})

test('deliverLeftover() leaves alone what its runner may still write', async () => {
  const mine = open({ ...HEADER, pid: process.ppid })
  mine.add(entryOf(1))
  mine.close()
  const { client } = answering(() => 'duplicate')
  const before = readFileSync(onlyFile(), 'utf8')
  expect(await deliverLeftover(client, onlyFile(), { epoch: 'e', now: clock.now })).toMatchObject({ duplicates: 1 })
  expect(readFileSync(onlyFile(), 'utf8')).toBe(before)
})

test('deliverLeftover() takes no answer of another database for final', async () => {
  const outbox = open({ ...HEADER, epoch: 'first' })
  outbox.add(entryOf(1))
  outbox.close()
  const { client } = answering(() => 'lost_claim')
  await deliverLeftover(client, onlyFile(), { epoch: 'second', now: clock.now })
  expect(waitingIn(onlyFile())).toEqual([1])
})

test('deliverLeftover() takes a file of another host for left behind when nobody has written it for ten minutes', async () => {
  const other = open({ ...HEADER, host: 'elsewhere' })
  other.add(entryOf(1))
  other.close()
  const { client } = answering(() => 'accepted')
  const now = Date.now()
  await deliverLeftover(client, onlyFile(), { epoch: 'e', now })
  expect(waitingIn(onlyFile())).toEqual([1])
  const longAgo = (now - KEPT_AFTER_ANSWER_MS) / 1000
  utimesSync(onlyFile(), longAgo, longAgo)
  await deliverLeftover(client, onlyFile(), { epoch: 'e', now })
  expect(waitingIn(onlyFile())).toEqual([])
})

test('deliver() sends in bounded batches, per workflow, and counts the verdicts', async () => {
  const outbox = open()
  for (let id = 1; id <= 1_001; id++) outbox.add(entryOf(id, 1 + (id % 2)))
  outbox.close()
  const { client, sent } = answering(path => (path.includes('/1/') ? 'lost_claim' : 'accepted'))
  const file = readOutboxFile(onlyFile())!
  const delivery = await deliver(client, file, { epoch: 'e', now: clock.now, mayNote: true })
  const sizes = sent.map(({ body }) => (body as { completions: unknown[] }).completions.length)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(500)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1_001)
  expect(delivery).toMatchObject({ offered: 1_001, accepted: 501, refused: { lost_claim: 500 } })
  expect(waitingIn(onlyFile())).toEqual([])
})

test('deliver() keeps what was not answered', async () => {
  const outbox = open()
  outbox.add(entryOf(1))
  outbox.close()
  const { client } = createFakeClient(() => ({ ok: false, code: 'no_reply', message: 'connect ECONNREFUSED' }))
  const file = readOutboxFile(onlyFile())!
  const delivery = await deliver(client, file, { epoch: undefined, now: clock.now, mayNote: true })
  expect(delivery.trouble).toEqual({ message: 'connect ECONNREFUSED', isAway: true })
  expect(waitingIn(onlyFile())).toEqual([1])
})

test('deliver() tells the completions of other workflows when one is refused as a whole', async () => {
  const outbox = open()
  for (const [id, workflowId] of [
    [1, 7],
    [2, 8],
    [3, 9],
  ] as const)
    outbox.add(entryOf(id, workflowId))
  outbox.close()
  const { client } = createFakeClient((_, path, body) => {
    if (path.includes('/8/')) return refusal(404, 'Workflow 8 not found')
    const { completions } = body as { completions: CompletionEntry[] }
    return { verdicts: completions.map(({ job_id }, index) => ({ index, job_id, code: 'accepted' })) }
  })
  const file = readOutboxFile(onlyFile())!
  const delivery = await deliver(client, file, { epoch: 'e', now: clock.now, mayNote: true })
  expect(delivery).toMatchObject({ offered: 2, accepted: 2, trouble: { isAway: false } })
  expect(waitingIn(onlyFile())).toEqual([2])
})

test('reconcile() walks a tree of many nodes, passes over foreign files, and tells with `again` what was answered before', async () => {
  for (const host of ['a', 'b']) {
    const outbox = openOutbox({
      directory: join(directory, 'runner', host, 'outbox'),
      header: { ...HEADER, pid: NOBODY },
      durability: 'power',
      clock: () => clock.now,
      onTrouble: fail,
    })
    outbox.add(entryOf(1))
    outbox.close()
  }
  writeFileSync(join(directory, 'mail.outbox'), 'From: somebody\n')
  const { client } = answering(() => 'accepted')
  const run = (again: boolean) => reconcile(client, directory, { now: clock.now, again })
  const first = await run(false)
  expect(first.foreign).toEqual([join(directory, 'mail.outbox')])
  expect(first.deliveries.map(({ offered }) => offered)).toEqual([1, 1])
  expect((await run(false)).deliveries.map(({ offered }) => offered)).toEqual([0, 0])
  expect((await run(true)).deliveries.map(({ offered }) => offered)).toEqual([1, 1])
})

test('withOutbox() has every completion on disk before it is sent, and offers it again to another database', async () => {
  const outbox = open({ ...HEADER, pid: process.pid })
  const { client, sent } = answering(() => 'accepted')
  const epochs = { current: 'first' as string | undefined, watch: fail as never }
  const seen: number[][] = []
  const reply: ExchangeReply = { completed: [], errors: [] }
  const never = () => Promise.reject(new Error('not asked'))
  const api = withOutbox(
    {
      async exchange() {
        seen.push(waitingIn(onlyFile()))
        return reply
      },
      release: never,
      heartbeat: never,
      summary: never,
    },
    { client, outbox, epochs, clock: () => clock.now },
  )
  const exchange = (entry: CompletionEntry) => {
    outbox.add(entry)
    return api.exchange({ completions: [entry], verdicts: true })
  }
  await exchange(entryOf(1))
  await exchange(entryOf(2))
  expect(seen).toEqual([[1], [2]])
  expect(sent).toEqual([])
  epochs.current = 'second'
  await exchange(entryOf(3))
  const [again] = sent.map(({ body }) => (body as { completions: CompletionEntry[] }).completions)
  expect(again!.map(entry => entry.job_id)).toEqual([1, 2])
  await exchange(entryOf(4))
  expect(sent).toHaveLength(1)
  outbox.close()
})

test('openOutbox() says that the disk takes nothing, and writes it when it does again', () => {
  const said: string[] = []
  const outbox = openOutbox({
    directory,
    header: HEADER,
    durability: 'process',
    clock: () => clock.now,
    onTrouble: message => said.push(message),
  })
  outbox.close()
  outbox.add(entryOf(1))
  outbox.flush()
  expect(said).toEqual([expect.stringContaining('EBADF')])
})
