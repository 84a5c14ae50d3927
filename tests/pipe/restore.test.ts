import { appendFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createAppTransport } from '../../runner/client/app-transport.ts'
import { type Client, createClient } from '../../runner/client.ts'
import { placesIn } from '../../runner/pipe/directory.ts'
import { writeFrozen } from '../../runner/pipe/frozen.ts'
import { readMembers } from '../../runner/pipe/members.ts'
import { restore } from '../../runner/pipe/restore.ts'
import { formatResult } from '../../runner/pipe/result-file.ts'
import { writeWhole } from '../../runner/pipe/write-whole.ts'
import type { CompletionEntry } from '../../runner/wire.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { resultOf } from '../helpers/seed.ts'
import { independent } from '../helpers/workflow.ts'
import { claimFor, type Staged, seedElement, stageRun } from './helpers.ts'

let t: TestApp
let client: Client
let root: string
beforeEach(async () => {
  t = await testApp()
  client = createClient(createAppTransport(t.app))
  root = mkdtempSync(join(tmpdir(), 'headrace-pipe-'))
})
afterEach(async () => {
  await t.close()
  rmSync(root, { recursive: true, force: true })
})

/** A run whose directory was moved, with the result of one job that nobody has told yet. */
async function movedRun(): Promise<{ staged: Staged; moved: string }> {
  const first = join(root, 'first')
  const moved = join(root, 'moved')
  const staged = await stageRun(t, independent(3), { staging: { directory: first } })
  const { body } = await t.get(`/pipe_runs/${staged.runId}`)
  writeFrozen(body, await readMembers(client, staged.runId))
  const element = await seedElement(t, staged)
  const [job] = await claimFor(t, staged.workflowId, element, 1)
  const completion = {
    job_id: job!.id,
    status: 'completed',
    run_id: 0,
    claim_token: job!.claim_token,
    result: resultOf(staged.workflowId, job!.id, element, { attempt_id: 1 }),
    usage: {},
    phase_times: { exited: 1 },
  } as unknown as CompletionEntry
  const text = formatResult({ version: 1, pipe_run_id: staged.runId, worker: 1, host: 'n1', completion })
  writeWhole(placesIn(first).result(job!.id, 1), text)
  renameSync(first, moved)
  return { staged, moved }
}

describe('restore()', () => {
  it('S38 takes the given path for the stored one and tells the results that lie there, once', async () => {
    const { staged, moved } = await movedRun()
    expect(await restore(client, moved)).toMatchObject({
      kind: 'restored',
      id: staged.runId,
      members: 3,
      results: 1,
      accepted: 1,
      unreadable: [],
    })
    const { body } = await t.get(`/pipe_runs/${staged.runId}`)
    expect(body).toMatchObject({ directory: moved, members: { by_status: { completed: 1 } } })
    expect(await restore(client, moved)).toMatchObject({ results: 1, accepted: 0 })
  })

  it('S38 lists a member it cannot read and one of an unknown kind, and the run is not complete', async () => {
    const { staged, moved } = await movedRun()
    appendFileSync(placesIn(moved).members, '{"job_id": 99, "kind": "orca-input"}\n{"job_id": 1')
    expect(await restore(client, moved)).toMatchObject({
      unreadable: ['members.jsonl:5'],
      unknown_kinds: [{ job_id: 99, kind: 'orca-input' }],
    })
    expect((await t.get(`/pipe_runs/${staged.runId}`)).body.unreadable).toEqual(['members.jsonl:5'])
  })

  it('refuses a directory that is none, or of another control plane, and changes nothing', async () => {
    expect(await restore(client, join(root, 'nowhere'))).toMatchObject({ kind: 'refused' })
    const { staged, moved } = await movedRun()
    await t.del(`/workflows/${staged.workflowId}`)
    expect(await restore(client, moved)).toMatchObject({ kind: 'refused', reason: expect.stringContaining('found') })
  })

  it('leaves a run alone that has ended', async () => {
    const { staged, moved } = await movedRun()
    await t.put(`/pipe_runs/${staged.runId}`, { state: 'failed', reason: 'no more' })
    expect(await restore(client, moved)).toMatchObject({ state: 'failed', accepted: 1 })
    expect((await t.get(`/pipe_runs/${staged.runId}`)).body).toMatchObject({ state: 'failed', reason: 'no more' })
  })
})
