import { afterEach, beforeEach, expect, test } from 'vitest'
import { STATUS } from '../../api/core/status.ts'
import { run } from '../../db/unit.ts'
import type { Outgoing } from '../../runner/client/transport.ts'
import { Witness } from '../../scripts/simulate/witness.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { chain, startWorkflow, workflowOf } from '../helpers/workflow.ts'

const clock = { now: 0 }
let witness: Witness
beforeEach(() => {
  clock.now = 0
  witness = new Witness(() => clock.now)
})

const copy = (jobId: number, claimToken: string, node = 'a', cores = [0]) => ({ jobId, claimToken, node, cores })
const start = (...args: Parameters<typeof copy>) => witness.started(copy(...args), [], 2)

const requestOf = (path: string, body: object): Outgoing => ({
  method: 'POST',
  path,
  headers: {},
  body: JSON.stringify(body),
  timeoutMs: 1,
})
const claimed = (claimToken: string): void =>
  witness.observe(requestOf('/workflows/1/batch_complete_jobs', { completions: [] }), {
    status: 200,
    text: JSON.stringify({ claimed: [{ claim_token: claimToken }] }),
  })
const verdict = (claimToken: string, code: string): void =>
  witness.observe(
    requestOf('/workflows/1/batch_complete_jobs', { completions: [{ job_id: 1, claim_token: claimToken }] }),
    { status: 200, text: JSON.stringify({ verdicts: [{ index: 0, code }] }) },
  )
const numbers = (): string[] => witness.violations.map(line => /invariant (\d)/.exec(line)![1]!)

test('Witness is content with jobs that start once, after each other and beside each other', () => {
  const first = start(1, 't1')
  witness.started(copy(2, 't2', 'a', [1]), [first], 2)
  witness.ended(first)
  start(3, 't3')
  expect(witness.violations).toEqual([])
})

test('Witness sees a claim that is started twice', () => {
  witness.ended(start(1, 't1'))
  start(1, 't1')
  expect(numbers()).toEqual(['5'])
})

test('Witness sees two copies of a job while the lease of the older one lasts, and none when it has lapsed', () => {
  claimed('t1')
  start(1, 't1')
  clock.now = 119_000
  start(1, 't2', 'b')
  expect(witness.violations).toEqual([expect.stringContaining('whose lease is 119 s old')])
  claimed('t3')
  start(2, 't3')
  clock.now += 120_000
  start(2, 't4', 'b')
  expect(witness.violations).toHaveLength(1)
})

test('Witness sees a core that is lent twice, and more jobs than there are cores', () => {
  const first = start(1, 't1')
  witness.started(copy(2, 't2', 'a', [0]), [first], 2)
  const second = copy(3, 't3', 'a', [1])
  witness.started(copy(4, 't4', 'a', [2]), [first, second], 2)
  expect(numbers()).toEqual(['6', '6'])
})

test('Witness sees a completion that takes effect twice, and lets duplicates and refusals pass', () => {
  for (const code of ['accepted', 'duplicate', 'lost_claim']) verdict('t1', code)
  expect(witness.violations).toEqual([])
  verdict('t1', 'salvaged')
  expect(numbers()).toEqual(['4'])
})

test('Witness sees an end that was never told, under the claim it began with or the one it went on with', () => {
  for (const token of ['told', 'renamed', 'untold']) witness.ended(start(1, token))
  witness.killed(start(1, 'killed'))
  const claims = [{ job_id: 1, claim_token: 'renamed', running: true }]
  witness.observe(requestOf('/compute_nodes/1/heartbeat', { claims }), {
    status: 200,
    text: JSON.stringify({ lost: [], reclaimed: [{ job_id: 1, claim_token: 'next' }] }),
  })
  verdict('told', 'lost_claim')
  verdict('next', 'accepted')
  witness.lookForUntold()
  expect(witness.violations).toEqual([expect.stringContaining('the end of claim untold')])
})

test('Witness sees a reply that is a fault of the server', () => {
  witness.observe(requestOf('/x', {}), { status: 500, text: 'fault' })
  witness.observe(requestOf('/x', {}), { status: 503, text: 'busy' })
  expect(witness.violations).toEqual([expect.stringContaining('/x: 500 fault')])
})

let t: TestApp | undefined
afterEach(async () => {
  await t?.close()
  t = undefined
})

test('Witness sees final states that go back, attempts that shrink, and rows that do not add up', async () => {
  t = await testApp()
  const { jobs } = await startWorkflow(t, workflowOf(chain(2)))
  const look = () => t!.db.read(() => witness.look())
  await look()
  expect(witness.violations).toEqual([])
  const [first, second] = jobs
  const set = (sql: string, id: number | undefined) => t!.db.write(() => run(sql, id!))
  await set('UPDATE job SET attempt_id = 3 WHERE id = ?', second)
  await set(`UPDATE job SET status = ${STATUS.completed} WHERE id = ?`, first)
  await look()
  expect(new Set(numbers())).toEqual(new Set(['7']))
  await set('UPDATE job SET attempt_id = 2 WHERE id = ?', second)
  await set(`UPDATE job SET status = ${STATUS.ready} WHERE id = ?`, first)
  await look()
  expect(new Set(numbers())).toEqual(new Set(['1', '2', '7']))
})

test('Witness sees jobs that are not final when all has to be', async () => {
  t = await testApp()
  await startWorkflow(t, workflowOf(chain(2)))
  await t.db.read(() => witness.lookForUnfinished())
  expect(witness.violations).toEqual([expect.stringMatching(/invariant 8: .*\(ready\), .*\(blocked\)/)])
})
