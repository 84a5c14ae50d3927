import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { all, one, run } from '../../db/unit.ts'
import { type Reply, type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { independent, jobOf, requirementsOf, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

type Line = Record<string, unknown> & { kind: string }

async function exportText(id: number, query = ''): Promise<string> {
  const reply = await t.app.request(`/v1/workflows/${id}/export${query}`)
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
  return reply.text()
}

const linesOf = (text: string): Line[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

const textOf = (lines: readonly object[]): string => lines.map(line => `${JSON.stringify(line)}\n`).join('')

async function importText(body: string | ReadableStream, query = '', headers: Record<string, string> = {}) {
  const response = await t.app.request(`/v1/workflows/import${query}`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-ndjson', ...headers },
    ...{ duplex: 'half' },
  })
  return { status: response.status, body: (await response.json()) as Reply['body'], headers: response.headers }
}

/** A workflow that has one of everything, half run. */
async function makeWorkflow(): Promise<number> {
  const files = ['raw', 'made'].map(name => ({ name, path: `/d/${name}`, stMtime: 5, identifier: 'doi:1' }))
  const jobs = [
    jobOf('first', {
      outputFiles: [1],
      inputFiles: [0],
      env: { A: 'é' },
      failureHandler: 0,
      resourceRequirements: 0,
      tags: { site: 'x' },
    }),
    jobOf('second', { inputFiles: [1], outputUserData: [0], scheduler: 0, priority: 4 }),
    jobOf('third', { dependsOn: [1], labels: ['gpu', 'big'], inputUserData: [0], cancelOnBlockingJobFailure: false }),
    jobOf('fourth', { invocationScript: 'run.sh' }),
  ]
  const started = await startWorkflow(
    t,
    workflowOf(jobs, {
      name: 'whole',
      description: 'd',
      env: { W: '1' },
      metadata: '{"a":1}',
      executionConfig: { mode: 'direct' },
      files,
      userData: [{ name: 'note', data: '{"k":[1,2]}', isEphemeral: true }],
      resourceRequirements: [requirementsOf('wide', { numCpus: 8, memory: '3g', runtime: 'PT2H' })],
      failureHandlers: [{ name: 'h', rules: '[{"exit_codes":[1]}]' }],
      slurmSchedulers: [
        { name: 's', account: 'acc', nodes: 2, walltime: '1:00:00', serializeAllocations: true } as never,
      ],
      actions: [
        {
          triggerType: 'on_jobs_complete',
          config: { actionType: 'run_commands', commands: ['echo'] },
          jobs: [0, 1],
          requiredTriggers: 2,
          persistent: false,
        },
        {
          triggerType: 'on_workflow_start',
          config: {
            actionType: 'schedule_nodes',
            scheduler: 0,
            schedulerType: 'slurm',
            numAllocations: 1,
            startOneWorkerPerNode: true,
            maxParallelJobs: 3,
          },
          jobs: [],
          requiredTriggers: 1,
          persistent: true,
        },
      ],
    }),
  )
  const { workflowId, jobs: ids } = started
  await t.post(`/workflows/${workflowId}/claim_next_jobs?limit=1`, {})
  await t.post(`/workflows/${workflowId}/batch_complete_jobs`, { completions: [completionOf(started, ids[0]!)] })
  await t.post(`/jobs/${ids[3]}/retry/0?max_retries=3`)
  await t.db.write(() => run('UPDATE job SET attempt_id = 3 WHERE id = ?', ids[3]!))
  await t.post('/ro_crate_entities', {
    workflow_id: workflowId,
    file_id: 2,
    entity_id: '#e',
    entity_type: 'File',
    metadata: { a: 1 },
  })
  await t.post('/events', { workflow_id: workflowId, timestamp: 1, data: { category: 'mine' } })
  await t.post('/slurm_stats', { workflow_id: workflowId, job_id: ids[0], run_id: 0, attempt_id: 1, max_rss_bytes: 7 })
  await t.post(`/workflows/${workflowId}/remote_workers`, ['user@host'])
  await t.post('/local_schedulers', { workflow_id: workflowId, name: 'l', num_cpus: 2 })
  return workflowId
}

/** The lines without what a copy cannot share: ids become positions among the lines of their kind. */
function withoutIds(lines: readonly Line[]): unknown[] {
  const numbers = new Map<string, Map<unknown, number>>()
  const numberOf = (kind: string, id: unknown): unknown => {
    if (typeof id !== 'number') return id
    const ids = numbers.get(kind) ?? new Map<unknown, number>()
    numbers.set(kind, ids)
    if (!ids.has(id)) ids.set(id, ids.size + 1)
    return ids.get(id)
  }
  const KIND_OF: Record<string, string> = {
    resource_requirements_id: 'resource_requirements',
    failure_handler_id: 'failure_handler',
    scheduler_id: 'slurm_scheduler',
    file_id: 'file',
    compute_node_id: 'compute_node',
    job_id: 'job',
    latest_result_id: 'result',
    job_ids: 'job',
    depends_on_job_ids: 'job',
    input_file_ids: 'file',
    output_file_ids: 'file',
    input_user_data_ids: 'user_data',
    output_user_data_ids: 'user_data',
  }
  const walk = (value: unknown, kind: string): unknown => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const entries = Object.entries(value).map(([key, inner]): [string, unknown] => {
      if (['id', 'workflow_id', 'status_id', 'timestamp', 'exported_at', 'is_active'].includes(key)) return [key, '-']
      const named = KIND_OF[key]
      if (named !== undefined && Array.isArray(inner)) return [key, inner.map(id => numberOf(named, id))]
      if (named !== undefined) return [key, numberOf(named, inner)]
      return [key, walk(inner, kind)]
    })
    return Object.fromEntries(entries)
  }
  for (const { kind, id } of lines) numberOf(kind, id)
  return lines.map(line => walk(line, line.kind))
}

describe('GET /workflows/{id}/export', () => {
  it('gives every kind of thing a workflow has, one JSON object a line, and says where it ends', async () => {
    const lines = linesOf(await exportText(await makeWorkflow()))
    expect([...new Set(lines.map(line => line.kind))]).toEqual([
      'export',
      'workflow',
      'resource_requirements',
      'failure_handler',
      'slurm_scheduler',
      'local_scheduler',
      'file',
      'user_data',
      'job',
      'action',
      'compute_node',
      'result',
      'ro_crate_entity',
      'slurm_stats',
      'remote_worker',
      'event',
      'end',
    ])
    expect(lines.at(-1)).toEqual({ kind: 'end', jobs: 4 })
    expect(lines.filter(line => line.kind === 'job')[1]).toMatchObject({ name: 'second', status: 'ready', priority: 4 })
  })

  it('leaves results and events out when told to', async () => {
    const id = await makeWorkflow()
    const kinds = linesOf(await exportText(id, '?include_results=false&include_events=false')).map(line => line.kind)
    expect(kinds).not.toContain('result')
    expect(kinds).not.toContain('compute_node')
    expect(kinds).not.toContain('event')
    expect(kinds).toContain('job')
  })

  it('of a workflow that is not there is 404', async () => {
    expect((await t.get('/workflows/99/export')).status).toBe(404)
  })

  it('is answered without a body to HEAD', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(1)))
    const reply = await t.app.request(`/v1/workflows/${workflowId}/export`, { method: 'HEAD' })
    expect([reply.status, await reply.text()]).toEqual([200, ''])
  })

  it('reads page by page, whatever the size', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(2_500)))
    const lines = linesOf(await exportText(workflowId))
    const names = lines.filter(line => line.kind === 'job').map(line => line.name)
    expect(names).toEqual(Array.from({ length: 2_500 }, (_, k) => `job_${k}`))
  })
})

describe('POST /workflows/import', () => {
  it('gives a workflow that exports the same', async () => {
    const id = await makeWorkflow()
    const text = await exportText(id)
    const { status, body } = await importText(text)
    expect([status, body]).toEqual([200, { workflow_id: expect.any(Number), job_count: 4 }])
    expect(body.workflow_id).not.toBe(id)
    const copy = await exportText(body.workflow_id)
    expect(withoutIds(linesOf(copy))).toEqual(withoutIds(linesOf(text)))
    expect(await statusesOf(t, body.workflow_id)).toEqual(['completed', 'ready', 'blocked', 'ready'])
  })

  it('gives a workflow that goes on where the old one was', async () => {
    const { body } = await importText(await exportText(await makeWorkflow()))
    const id: number = body.workflow_id
    const jobs = (await t.get(`/jobs?workflow_id=${id}`)).body.items
    await t.post(`/workflows/${id}/claim_next_jobs?limit=9`, {})
    const node = (await t.get(`/compute_nodes?workflow_id=${id}`)).body.items[0].id
    const started = { workflowId: id, nodeId: node, jobs: [] }
    await t.post(`/workflows/${id}/batch_complete_jobs`, { completions: [completionOf(started, jobs[1].id)] })
    expect(await statusesOf(t, id)).toEqual(['completed', 'completed', 'ready', 'pending'])
    const results = (await t.get(`/results?workflow_id=${id}`)).body.items
    expect(results.map((row: { job_name: string }) => row.job_name)).toEqual(['first', 'second'])
    const actions = (await t.get(`/workflows/${id}/actions`)).body
    expect(actions[0]).toMatchObject({ trigger_count: 2, required_triggers: 2 })
  })

  it('begins anew with fresh=true, under another name', async () => {
    const { body } = await importText(await exportText(await makeWorkflow()), '?fresh=true&name=again')
    const id = body.workflow_id
    expect((await t.get(`/workflows/${id}`)).body).toMatchObject({ name: 'again', run_id: 0, description: 'd' })
    expect(await statusesOf(t, id)).toEqual(Array(4).fill('uninitialized'))
    for (const list of ['results', 'events', 'compute_nodes', 'slurm_stats'])
      expect((await t.get(`/${list}?workflow_id=${id}`)).body.items).toEqual([])
    const jobs = (await t.get(`/jobs?workflow_id=${id}&include_relationships=true`)).body.items
    expect(jobs.map((job: Line) => [job.attempt_id, job.origin])).toEqual(Array(4).fill([1, undefined]))
    expect(jobs[2].depends_on_job_ids).toEqual([jobs[1].id])
    await t.post(`/workflows/${id}/initialize_jobs`)
    expect(await statusesOf(t, id)).toEqual(['ready', 'blocked', 'blocked', 'ready'])
  })

  it('takes jobs that stand before what they wait for', async () => {
    const { body } = await importText(
      textOf([
        { kind: 'export', format: 1 },
        { kind: 'workflow', name: 'w', user: 'u' },
        { kind: 'job', id: 5, name: 'a', command: 'true', depends_on_job_ids: [9], status: 'blocked' },
        { kind: 'job', id: 9, name: 'b', command: 'true', status: 'running' },
        { kind: 'end', jobs: 2 },
      ]),
    )
    expect(await statusesOf(t, body.workflow_id)).toEqual(['blocked', 'ready'])
  })

  it('is stored while it arrives, in pieces that nobody sees', async () => {
    const { workflowId } = await startWorkflow(t, workflowOf(independent(2_500)))
    const text = await exportText(workflowId)
    const bytes = new TextEncoder().encode(text)
    const seen: number[] = []
    let at = 0
    const body = new ReadableStream({
      async pull(controller) {
        // Cuts lines anywhere.
        const piece = bytes.slice(at, at + 10_007)
        at += piece.length
        if (piece.length === 0) return controller.close()
        controller.enqueue(piece)
        const visible = (await t.get('/workflows?limit=1')).body.total_count
        const stored = await t.db.read(() => one<{ n: number }>('SELECT count(*) AS n FROM job'))
        expect(visible).toBe(1)
        seen.push(stored!.n)
      },
    })
    const reply = await importText(body)
    expect(reply.body.job_count).toBe(2_500)
    expect(Math.max(...seen)).toBeGreaterThan(2_500)
    expect((await t.get('/workflows?limit=1')).body.total_count).toBe(2)
  })

  it('creates once per Idempotency-Key, and tells another document apart', async () => {
    const text = await exportText(await makeWorkflow())
    const key = { 'idempotency-key': 'k' }
    const first = await importText(text, '', key)
    const again = await importText(text, '', key)
    expect(again.body).toEqual(first.body)
    expect(again.headers.get('idempotency-replayed')).toBe('true')
    expect((await importText(text.replace('second', 'other'), '', key)).status).toBe(422)
    expect((await t.get('/workflows?limit=1')).body.total_count).toBe(2)
  })

  const HEAD = [
    { kind: 'export', format: 1 },
    { kind: 'workflow', name: 'w', user: 'u' },
  ]
  const JOB = { kind: 'job', id: 1, name: 'a', command: 'true' }
  const END = { kind: 'end', jobs: 1 }

  it.each<[string, string, number, object]>([
    ['nothing', '', 422, { line: 1 }],
    ['no export', '{"kind":"job"}\n', 422, { line: 1 }],
    ['broken JSON', '{"kind":', 400, { line: 1 }],
    ['no object', '[1]\n', 422, { field: 'kind', line: 1 }],
    ['an unknown kind', textOf([...HEAD, { kind: 'jobs' }]), 422, { field: 'kind', line: 3 }],
    ['another format', textOf([{ kind: 'export', format: 99 }]), 422, { field: 'format', line: 1 }],
    ['no workflow', textOf([HEAD[0]!, JOB, END]), 422, { line: 2 }],
    ['two workflows', textOf([...HEAD, HEAD[1]!]), 422, { line: 2 }],
    ['no end', textOf([...HEAD, JOB]), 422, { line: 3 }],
    ['an end that counts other jobs', textOf([...HEAD, JOB, { kind: 'end', jobs: 2 }]), 422, { line: 4 }],
    ['a wrong order', textOf([...HEAD, JOB, { kind: 'file', id: 1, name: 'f', path: 'f' }]), 422, { line: 4 }],
    ['a wrong type', textOf([...HEAD, { ...JOB, priority: 'x' }]), 422, { field: 'priority', line: 3 }],
    ['an unknown status', textOf([...HEAD, { ...JOB, status: 'x' }]), 422, { field: 'status', line: 3 }],
    ['a file that is not there', textOf([...HEAD, { ...JOB, input_file_ids: [4] }, END]), 422, { value: 4 }],
    ['a job that is not there', textOf([...HEAD, { ...JOB, depends_on_job_ids: [4] }, END]), 422, { value: 4 }],
    ['a job that waits for itself', textOf([...HEAD, { ...JOB, depends_on_job_ids: [1] }, END]), 422, {}],
    ['one id twice', textOf([...HEAD, JOB, JOB, { kind: 'end', jobs: 2 }]), 422, { field: 'id' }],
    ['a NUL', `${textOf(HEAD)}{"kind":"job","id":1,"name":"a\\u0000","command":"x"}\n`, 422, { line: 3 }],
    [
      'one entity twice',
      textOf([
        ...HEAD,
        JOB,
        ...Array(2).fill({ kind: 'ro_crate_entity', entity_id: '#e', entity_type: 'File', metadata: {} }),
      ]),
      422,
      { line: 4 },
    ],
    [
      'a result of no job',
      textOf([
        ...HEAD,
        JOB,
        {
          kind: 'result',
          id: 65537,
          job_id: 8,
          run_id: 0,
          return_code: 0,
          exec_time_minutes: 1,
          completion_time: 'x',
          status: 'completed',
        },
      ]),
      422,
      { field: 'job_id' },
    ],
  ])('of %s is refused and leaves nothing', async (_, text, status, error) => {
    const reply = await importText(text)
    expect(reply.status).toBe(status)
    expect(reply.body.error).toMatchObject(error)
    expect(await t.db.read(() => all('SELECT id FROM workflow'))).toEqual([])
    expect(await t.db.read(() => all('SELECT id FROM job'))).toEqual([])
  })

  it('of bytes that are no UTF-8 is 400, of another content type 415', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array([0x7b, 0xff, 0xfe, 0x0a]))
        controller.close()
      },
    })
    expect((await importText(body)).status).toBe(400)
    expect((await importText('{}', '', { 'content-type': 'application/json' })).status).toBe(415)
  })

  it('leaves nothing when the sender goes away', async () => {
    let sent = 0
    const body = new ReadableStream({
      pull(controller) {
        if (sent++ === 0) controller.enqueue(new TextEncoder().encode(textOf([...HEAD, JOB])))
        else controller.error(new Error('gone'))
      },
    })
    expect((await importText(body)).status).toBeGreaterThanOrEqual(400)
    expect(await t.db.read(() => all('SELECT id FROM workflow'))).toEqual([])
  })
})
