import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Client } from '../../runner/client.ts'
import { labelOf } from '../../runner/launch-label.ts'
import { readJournal, recordLife } from '../../runner/launcher/journal.ts'
import { formatRecord } from '../../runner/launcher/records.ts'
import { type NodeDirectory, openNodeDirectory } from '../../runner/node-state.ts'
import { recover } from '../../runner/recover.ts'
import { createFakeClient, type Sent } from './fake-client.ts'

let outputDir: string
let directory: NodeDirectory
beforeEach(() => {
  outputDir = mkdtempSync(join(tmpdir(), 'headrace-recover-'))
  directory = openNodeDirectory(outputDir)
  recordLife(directory.journal, LAUNCHER, 'native', 0)
})
afterEach(() => rmSync(outputDir, { recursive: true }))

const LAUNCHER = '0123456789abcdef'
const NODE = 9
const NO_PROCESS = 2 ** 22 + 1

type Ending = { code?: number; cut?: boolean }

/** Writes what a launcher records of a job of this node: its start, and its end when there is one. */
function record(tag: number, jobId: number, ending?: Ending, attemptId = 1): void {
  const label = labelOf({ workflowId: 1, jobId, runId: 0, attemptId, computeNodeId: NODE, claimToken: `t${jobId}` })
  appendFileSync(directory.journal, formatRecord('S', LAUNCHER, tag, NO_PROCESS, 1, 1, 1_000, label))
  if (ending === undefined) return
  const { code = 0, cut = false } = ending
  const how = cut ? [0, 9] : [code, 0]
  appendFileSync(
    directory.journal,
    formatRecord('E', LAUNCHER, tag, ...how, 0, 0, 1_000, 2_000, 5, 5, 0, 0, cut ? 1 : 0),
  )
}

/** A control plane that has these jobs as held by the node, and notes what it is told. */
function clientWith(jobs: readonly object[], files: Record<number, string> = {}): { client: Client; told: Sent[] } {
  const told: Sent[] = []
  const { client, sent } = createFakeClient((method, path) => {
    const file = /^\/files\/(\d+)$/.exec(path)
    if (method === 'POST') told.push(sent.at(-1)!)
    return file ? { id: Number(file[1]), path: files[Number(file[1])] } : { items: jobs }
  })
  return { client, told }
}

const contextOf = (client: Client) => ({
  client,
  outputDir,
  cwd: outputDir,
  stdio: {},
  usePendingFailed: false,
  workflowOptions: undefined,
  leasesMayHaveLapsed: false,
})
const held = (id: number, fields: object = {}) => ({ id, name: `job ${id}`, attempt_id: 1, ...fields })
const FORMER = { workflowId: 1, computeNodeId: NODE }

test('recover() reports exits that stand in the journal, gives lost attempts back as such, and the rest as not started', async () => {
  record(1, 11, { code: 0 })
  record(2, 12, { code: 3 })
  record(3, 13)
  record(4, 14, { cut: true })
  const { client, told } = clientWith([held(11), held(12), held(13), held(14), held(15)])
  const done = await recover(directory, FORMER, contextOf(client))
  expect(done).toEqual({ ended: 0, reported: 2, lost: 2, surviving: [] })
  const [completion, release] = told
  expect(completion!.path).toBe('/workflows/1/batch_complete_jobs')
  expect(completion!.body).toMatchObject({
    completions: [
      { job_id: 11, status: 'completed', claim_token: 't11', result: { return_code: 0, compute_node_id: NODE } },
      { job_id: 12, status: 'failed', failure_class: 'exit_code', result: { return_code: 3 } },
    ],
  })
  expect(release).toMatchObject({
    path: `/compute_nodes/${NODE}/release`,
    body: {
      claims: [
        { job_id: 13, claim_token: 't13', lost: 'node_lost' },
        { job_id: 14, claim_token: 't14', lost: 'node_lost' },
      ],
      rest: true,
    },
  })
})

test('recover() leaves alone what goes on with a launcher that was taken over, and gives back only the rest', async () => {
  record(1, 11)
  record(2, 12)
  const { client, told } = clientWith([held(11), held(12), held(13)])
  const [running] = readJournal(directory.journal).launches
  const adoption = { launcherId: LAUNCHER, running: [running!], nextTag: 3, open: vi.fn(), end: vi.fn() }
  const done = await recover(directory, FORMER, { ...contextOf(client), adoption })
  expect(done).toMatchObject({ reported: 0, lost: 1, surviving: [{ attempt: { jobId: 11, claimToken: 't11' } }] })
  expect(told.map(({ body }) => body)).toEqual([
    { claims: [{ job_id: 12, claim_token: 't12', lost: 'node_lost' }], rest: true, kept: [11] },
  ])
})

test('recover() says nothing of what the control plane has settled, of earlier attempts and of other nodes', async () => {
  record(1, 11, { code: 0 })
  record(2, 12, { code: 0 }, 1)
  const { client, told } = clientWith([held(12, { attempt_id: 2 })])
  expect(await recover(directory, FORMER, contextOf(client))).toMatchObject({ ended: 0, reported: 0, lost: 0 })
  expect(told.map(({ path }) => path)).toEqual([`/compute_nodes/${NODE}/release`])
  expect(await recover(directory, { ...FORMER, computeNodeId: 8 }, contextOf(client))).toMatchObject({ reported: 0 })
})

test("recover() looks for outputs where the former runner worked, or in the job's own cwd", async () => {
  const own = join(outputDir, 'own')
  mkdirSync(own)
  writeFileSync(join(outputDir, 'a'), '')
  writeFileSync(join(own, 'b'), '')
  for (const id of [11, 12, 13]) record(id, id, { code: 0 })
  const jobs = [
    held(11, { output_file_ids: [1] }),
    held(12, { output_file_ids: [2], options: { cwd: own } }),
    held(13, { output_file_ids: [2] }),
  ]
  const { client, told } = clientWith(jobs, { 1: 'a', 2: 'b' })
  await recover(directory, FORMER, contextOf(client))
  const { completions } = told[0]!.body as { completions: { status: string; failure_class?: string }[] }
  expect(completions.map(({ status, failure_class }) => [status, failure_class])).toEqual([
    ['completed', undefined],
    ['completed', undefined],
    ['failed', 'no_output'],
  ])
})

test('recover() sends the exits of a long journal in batches of 1,000', async () => {
  const ids = Array.from({ length: 1_500 }, (_, index) => index + 1)
  for (const id of ids) record(id, id, { code: 0 })
  const { client, told } = clientWith(ids.map(id => held(id)))
  expect(await recover(directory, FORMER, contextOf(client))).toMatchObject({ reported: 1_500 })
  const sizes = told.slice(0, -1).map(({ body }) => (body as { completions: unknown[] }).completions.length)
  expect(sizes).toEqual([1_000, 500])
})

test('recover() tells an exit whose lease has lapsed meanwhile, so that it can be salvaged', async () => {
  record(1, 1, { code: 0 })
  record(2, 2, { code: 0 })
  record(3, 3)
  const { client, sent } = createFakeClient((_, path) =>
    path.includes('status=ready')
      ? { items: [held(1, { attempt_id: 2 }), held(2), held(3, { attempt_id: 2 })] }
      : { items: [] },
  )
  const done = await recover(
    directory,
    { workflowId: 1, computeNodeId: NODE },
    { ...contextOf(client), leasesMayHaveLapsed: true },
  )
  expect(done).toMatchObject({ reported: 1, lost: 0 })
  const told = sent.find(({ path }) => path.endsWith('/batch_complete_jobs'))
  expect(told!.body).toMatchObject({ completions: [{ job_id: 1, claim_token: 't1', result: { attempt_id: 1 } }] })
})

test('recover() reads the list of jobs to its end, page by page', async () => {
  record(1, 11)
  record(2, 12)
  const { client, sent } = createFakeClient((method, path) => {
    if (method === 'POST') return {}
    return path.includes('&after_id=0') ? { items: [held(11)], next_after_id: 11 } : { items: [held(12)] }
  })
  expect(await recover(directory, FORMER, contextOf(client))).toMatchObject({ lost: 2 })
  expect(sent.filter(({ path }) => path.startsWith('/jobs?')).map(({ path }) => /after_id=\d+/.exec(path)![0])).toEqual(
    ['after_id=0', 'after_id=11'],
  )
})
