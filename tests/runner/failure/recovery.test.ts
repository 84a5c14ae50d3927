import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRecoveries } from '../../../runner/failure/recovery.ts'
import { waitUntil } from '../../launcher/harness.ts'
import { createFakeClient } from '../fake-client.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-recovery-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

function recoveries() {
  const notes: string[] = []
  const { client, sent } = createFakeClient(method =>
    method === 'GET' ? { name: 'broken', env: { COLOUR: 'red' } } : {},
  )
  const facts = { workflowId: 1, apiUrl: 'http://api', outputDir: '/out', runId: 3 }
  const made = createRecoveries(client, { factsOf: () => facts, cwd, note: line => notes.push(line) })
  const told = () => sent.filter(({ method }) => method === 'POST')
  return { made, told, notes }
}

test('start() runs a script once, with the variables of the attempt, and tells its end', async () => {
  const { made, told, notes } = recoveries()
  const recovery_script =
    'echo "$TORC_JOB_ID $TORC_JOB_NAME $TORC_ATTEMPT_ID $TORC_RETURN_CODE $COLOUR" >> ran; echo done'
  const retry = { job_id: 7, attempt_id: 2, recovery_script }
  made.start([retry, { job_id: 8, attempt_id: 1 }], () => ({ workflow_id: 1, return_code: 9 }))
  made.start([retry], () => ({ workflow_id: 1, return_code: 9 }))
  await waitUntil('its end is told', told, sent => sent.length > 0)
  await made.close()
  expect(readFileSync(join(cwd, 'ran'), 'utf8')).toBe('7 broken 2 9 red\n')
  expect(told()).toEqual([
    {
      method: 'POST',
      path: '/jobs/7/recovery',
      body: { run_id: 3, attempt_id: 2, return_code: 0, message: 'done' },
    },
  ])
  expect(notes).toEqual([])
})

test('start() notes a script that failed, and tells its last words', async () => {
  const { made, told, notes } = recoveries()
  made.start([{ job_id: 7, attempt_id: 1, recovery_script: 'echo wrong >&2; exit 4' }], () => ({
    workflow_id: 1,
    return_code: 1,
  }))
  await waitUntil('its end is told', told, sent => sent.length > 0)
  expect(told()[0]!.body).toMatchObject({ return_code: 4, message: 'wrong' })
  expect(notes).toEqual([expect.stringContaining('broken failed with 4')])
})

test('close() ends a script that runs, with what it started, and tells that', async () => {
  const { made, told } = recoveries()
  const recovery_script = 'sleep 60 & echo $! > child; wait'
  made.start([{ job_id: 7, attempt_id: 1, recovery_script }], () => ({ workflow_id: 1, return_code: 1 }))
  const child = join(cwd, 'child')
  await waitUntil('it runs', () => existsSync(child) && readFileSync(child, 'utf8').length > 1, Boolean)
  await made.close()
  expect(told()[0]!.body).toMatchObject({ return_code: 137 })
  const pid = Number(readFileSync(child, 'utf8'))
  await waitUntil(
    'its child is gone',
    () => isThere(pid),
    found => !found,
  )
})

test('close() lets no script begin any more', async () => {
  const { made, told } = recoveries()
  const recovery_script = 'touch began; sleep 60'
  made.start([{ job_id: 7, attempt_id: 1, recovery_script }], () => ({ workflow_id: 1, return_code: 1 }))
  await made.close()
  expect(existsSync(join(cwd, 'began'))).toBe(false)
  expect(told()[0]!.body).toMatchObject({ return_code: 137 })
})

test('start() tells of a script that the system cannot take', async () => {
  const { made, told } = recoveries()
  const recovery_script = `: ${'x'.repeat(200_000)}`
  made.start([{ job_id: 7, attempt_id: 1, recovery_script }], () => ({ workflow_id: 1, return_code: 1 }))
  await waitUntil('its end is told', told, sent => sent.length > 0)
  expect(told()[0]!.body).toMatchObject({ return_code: 127, message: expect.stringContaining('E2BIG') })
  await made.close()
})

/** A process that waits for its parent to take notice counts as gone. */
function isThere(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
