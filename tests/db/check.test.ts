import { afterEach, beforeEach, expect, it } from 'vitest'
import { listProblems } from '../../db/check.ts'
import { run } from '../../db/unit.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { graphOf, type Started, startWorkflow, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
let started: Started
beforeEach(async () => {
  t = await testApp()
  // Job 0 is complete, 1 is claimed, 2 is ready, 3 is blocked.
  started = await startWorkflow(t, workflowOf(graphOf([[], [], [0], [1, 2]])))
  await t.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, started.jobs[0]!)],
  })
  await t.post(`/workflows/${started.workflowId}/claim_next_jobs?limit=1`, {
    compute_node_id: started.nodeId,
    lease_seconds: 60,
  })
})
afterEach(() => t.close())

const spoil = (sql: string) =>
  t.db.write(() => run(sql.replace(/\bJOB(\d)\b/g, (_, k: string) => `${started.jobs[Number(k)]}`)))

it('listProblems() finds nothing in a database that only requests have changed', async () => {
  expect(await t.db.read(listProblems)).toEqual([])
})

it.each([
  [
    'token is held by two jobs',
    `UPDATE job SET status = 3, claim_token = (SELECT claim_token FROM job WHERE id = JOB1) WHERE id = JOB2`,
  ],
  [
    'lost attempt is held again',
    `INSERT INTO lost_attempt SELECT id, 0, 1, 'node_lost', NULL, claim_token, 1, NULL, 1 FROM job WHERE id = JOB1`,
  ],
  ['is newer than its job', `INSERT INTO lost_attempt VALUES (JOB2, 0, 7, 'node_lost', NULL, 'x', 1, NULL, 1)`],
  ['lost more attempts', `UPDATE job SET losses = 9 WHERE id = JOB2`],
  ['ready job has a count', `UPDATE job SET unfinished = 1 WHERE id = JOB2`],
  ['counts of a blocked job', `UPDATE job SET unfinished = 1 WHERE id = JOB3`],
  ['counts of a blocked job', `UPDATE job SET unsuccessful = 1 WHERE id = JOB3`],
  ['told to its dependants', `INSERT INTO frontier VALUES (JOB2, 1, 0, 0)`],
  ['counter differs', `UPDATE workflow_count SET n = n + 1 WHERE status = 2`],
  ['lacks a counter', `DELETE FROM workflow_count WHERE status = 9`],
  ['counter differs', `DELETE FROM workflow_count WHERE status = 2`],
  ['numbered beyond its job', `UPDATE job SET results = 0 WHERE id = JOB0`],
  ['latest result of a job', `UPDATE job SET latest_result_id = latest_result_id + 1 WHERE id = JOB0`],
  ['latest result of a job', `UPDATE result SET superseded = 1`],
  ['job.compute_node_id', `DELETE FROM compute_node`],
  ['job.id names no row of job_text', `DELETE FROM job_text WHERE id = JOB1`],
  ['job_edge.depends_on_job_id', `INSERT INTO job_edge VALUES (99999, JOB3)`],
  ['result.job_id', `UPDATE result SET job_id = 99999`],
  ['claim.workflow_id', `INSERT INTO claim VALUES ('some-claim', 99999, 'x', '[]', 1)`],
] as const)('listProblems() reports that %s: %s', async (what, sql) => {
  await spoil(sql)
  const problems = await t.db.read(listProblems)
  expect(problems.map(problem => problem.what).join('\n')).toContain(what)
  for (const { rows } of problems) expect(rows.length).toBeGreaterThan(0)
})

/** Two runs of the workflow, of which the first has job 1, held by its runner, and an array at the scheduler. */
async function stagePipes(): Promise<void> {
  const { workflowId, nodeId, jobs } = started
  await t.db.write(function* () {
    for (const id of [1, 2])
      yield* run(
        `INSERT INTO pipe_run (id, workflow_id, state, state_since, scheduler, directory, key, spec, width, walltime_seconds, grace_seconds, created_at)
         VALUES (?, ?, 'active', 1, 'slurm', '/d', '{}', '{}', 1, 60, 0, 1)`,
        id,
        workflowId,
      )
    yield* run('INSERT INTO pipe_member VALUES (1, ?)', jobs[1]!)
    yield* run('INSERT INTO pipe_runner VALUES (?, 1, 1, NULL, 1)', nodeId)
    yield* run(
      `INSERT INTO pipe_submission (pipe_run_id, name, state, width, reason, inputs, decided_at, acknowledged_at, scheduler_id)
       VALUES (1, 'hr-1', 'submitted', 1, 'first', '{}', 1, 1, '7')`,
    )
  })
}

it.each([
  ['two pipe runs that are open', 'INSERT INTO pipe_member VALUES (2, JOB1)'],
  ['ended well although a runner of it holds', `UPDATE pipe_run SET state = 'partial' WHERE id = 1`],
  ['nobody has acknowledged', 'UPDATE pipe_submission SET scheduler_id = NULL'],
] as const)('listProblems() reports that %s: %s', async (what, sql) => {
  await stagePipes()
  expect(await t.db.read(listProblems)).toEqual([])
  await spoil(sql)
  expect((await t.db.read(listProblems)).map(problem => problem.what).join('\n')).toContain(what)
})

it('listProblems() reports a member of another workflow, and lets a run be canceled while a member runs', async () => {
  await stagePipes()
  await spoil(`UPDATE pipe_run SET state = 'canceled' WHERE id = 1`)
  expect(await t.db.read(listProblems)).toEqual([])
  const other = await startWorkflow(t, workflowOf(graphOf([[]])))
  await t.db.write(() => run('INSERT INTO pipe_member VALUES (2, ?)', other.jobs[0]!))
  expect((await t.db.read(listProblems)).map(problem => problem.what)).toEqual([
    'a member of a pipe run is of another workflow',
  ])
})

it('listProblems() reports an attempt with two results that count', async () => {
  await spoil(`INSERT INTO result(id, job_id, workflow_id, run_id, attempt_id, return_code, exec_time_minutes, completion_time, status)
    SELECT id + 1, job_id, workflow_id, run_id, attempt_id, 0, 0, '', 5 FROM result`)
  await spoil('UPDATE job SET results = 2 WHERE id = JOB0')
  expect((await t.db.read(listProblems)).map(problem => problem.what)).toEqual([
    'an attempt has two results that count',
  ])
})

it('listProblems() names the rows, the first ten of them', async () => {
  await t.db.write(function* () {
    for (let k = 1; k <= 12; k++) yield* run('INSERT INTO job_edge VALUES (?, ?)', 90_000 + k, started.jobs[3]!)
  })
  const found = (await t.db.read(listProblems)).find(problem => problem.what.startsWith('job_edge.depends_on'))
  expect(found?.rows).toHaveLength(10)
  expect(found?.rows[0]).toBe('{"depends_on_job_id":90001}')
})
