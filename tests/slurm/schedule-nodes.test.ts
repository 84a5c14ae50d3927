import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SubmitOutcome } from '../../runner/schedulers/types.ts'
import { fireAction, fireAll, listDue } from '../../runner/slurm/fire-actions.ts'
import { readScheduler, readWorkflow, type WireAction } from '../../runner/slurm/rows.ts'
import { scheduleNodes } from '../../runner/slurm/schedule-nodes.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { independent, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { askedOf } from './app-client.ts'
import { createFakeCluster, type FakeCluster, queued } from './fake-cluster.ts'

let t: TestApp
let outputDir: string
beforeEach(async () => {
  t = await testApp()
  outputDir = mkdtempSync(join(tmpdir(), 'headrace-slurm-'))
})
afterEach(async () => {
  rmSync(outputDir, { recursive: true, force: true })
  await t.close()
})

const REFUSED: SubmitOutcome = { kind: 'refused', message: 'Invalid account' }
const UNKNOWN: SubmitOutcome = { kind: 'unknown', message: 'Socket timed out' }

/** A workflow with one scheduler and an action that asks for two of its allocations when it starts. */
async function seed(scheduler: object = {}): Promise<{ workflowId: number; schedulerId: number; action: WireAction }> {
  const config = {
    actionType: 'schedule_nodes',
    scheduler: 0,
    schedulerType: 'slurm',
    numAllocations: 2,
    startOneWorkerPerNode: false,
    maxParallelJobs: 3,
  } as const
  const slurm = { ...SCHEDULER, ...scheduler }
  const actions = [
    { triggerType: 'on_workflow_start' as const, config, jobs: [], requiredTriggers: 1, persistent: false },
  ]
  const workflow = workflowOf(independent(1), { slurmSchedulers: [slurm], actions })
  const { workflowId } = await startWorkflow(t, workflow)
  const [only] = await listDue(askedOf(t), workflowId)
  return { workflowId, schedulerId: only!.action_config.scheduler_id!, action: only! }
}

const SCHEDULER = {
  name: 's',
  account: 'physics',
  partition: undefined,
  qos: undefined,
  gres: undefined,
  mem: undefined,
  tmp: undefined,
  extra: undefined,
  nodes: 1,
  ntasksPerNode: undefined,
  walltime: '01:00:00',
  serializeAllocations: false,
}

const site = () => ({ address: { baseUrl: 'http://login1:8080/v1', token: 'secret' }, outputDir, cwd: '/work' })

async function schedule(seeded: Awaited<ReturnType<typeof seed>>, count: number, cluster: FakeCluster) {
  const asked = askedOf(t)
  const wish = {
    workflow: await readWorkflow(asked, seeded.workflowId),
    scheduler: await readScheduler(asked, seeded.schedulerId),
    count,
    perNode: false,
  }
  return scheduleNodes(wish, asked, site(), cluster, () => {})
}

const rowsOf = async (workflowId: number) =>
  (await t.get(`/scheduled_compute_nodes?workflow_id=${workflowId}`)).body.items as {
    scheduler_id: number
    status: string
  }[]

const dueOf = async (workflowId: number) => listDue(askedOf(t), workflowId)

const fire = async (seeded: Awaited<ReturnType<typeof seed>>, cluster: FakeCluster, notes: string[] = []) =>
  fireAction(seeded.action, {
    workflow: await readWorkflow(askedOf(t), seeded.workflowId),
    asked: askedOf(t),
    site: site(),
    cluster,
    note: line => notes.push(line),
  })

describe('scheduleNodes()', () => {
  test('records each allocation that Slurm has taken, with a name of its own', async () => {
    const seeded = await seed()
    const cluster = createFakeCluster()
    const { nodes, trouble } = await schedule(seeded, 3, cluster)
    expect(trouble).toBeUndefined()
    expect(nodes.map(node => node.scheduler_id)).toEqual([100, 101, 102])
    expect((await rowsOf(seeded.workflowId)).map(row => row.status)).toEqual(['pending', 'pending', 'pending'])
    expect(new Set(cluster.scripts.map(text => /--job-name=(\S+)/.exec(text)![1])).size).toBe(3)
  })

  test('S36: keeps what was taken before a refusal, and records nothing that was not', async () => {
    const seeded = await seed()
    const { nodes, trouble } = await schedule(
      seeded,
      3,
      createFakeCluster([{ kind: 'submitted', id: '7', acknowledgedAtMs: 0 }, REFUSED]),
    )
    expect(nodes).toHaveLength(1)
    expect(trouble).toMatchObject({ kind: 'refused', message: expect.stringContaining('Invalid account') })
    expect(await rowsOf(seeded.workflowId)).toHaveLength(1)
  })

  test('looks for a submission without an answer by its name, and takes what it finds', async () => {
    const seeded = await seed()
    const cluster = createFakeCluster([UNKNOWN])
    cluster.patience.pause = async () => {
      const name = /--job-name=(\S+)/.exec(cluster.scripts[0]!)![1]!
      cluster.queue = [queued('5', 'somebody'), queued('55', name)]
    }
    const { nodes } = await schedule(seeded, 1, cluster)
    expect(nodes.map(node => node.scheduler_id)).toEqual([55])
  })

  test('never submits again what may be in the queue already', async () => {
    const seeded = await seed()
    const cluster = createFakeCluster([UNKNOWN])
    const { nodes, trouble } = await schedule(seeded, 2, cluster)
    expect({ nodes, kind: trouble?.kind, scripts: cluster.scripts.length, looks: cluster.pauses }).toEqual({
      nodes: [],
      kind: 'unknown',
      scripts: 1,
      looks: 3,
    })
  })

  test('tells an allocation of a chain from those it knows, which have the same name', async () => {
    const seeded = await seed({ serializeAllocations: true })
    const cluster = createFakeCluster()
    await schedule(seeded, 1, cluster)
    const [name] = /torc-wf\d+-sched\d+/.exec(cluster.scripts[0]!)!
    const second = createFakeCluster([UNKNOWN])
    second.queue = [queued('100', name), queued('101', name)]
    expect((await schedule(seeded, 1, second)).nodes.map(node => node.scheduler_id)).toEqual([101])
  })

  test('takes the row that the allocation has made itself for its own', async () => {
    const seeded = await seed()
    const row = { workflow_id: seeded.workflowId, scheduler_id: 100, scheduler_config_id: 1, scheduler_type: 'slurm' }
    const made = await t.post('/scheduled_compute_nodes', { ...row, status: 'active' })
    const { nodes } = await schedule(seeded, 1, createFakeCluster())
    expect(nodes.map(node => node.id)).toEqual([made.body.id])
  })

  test('leaves the token in a private file, and out of the scripts', async () => {
    const cluster = createFakeCluster()
    await schedule(await seed(), 1, cluster)
    const file = /^\. (\S+) \|\| exit 1$/m.exec(cluster.scripts[0]!)![1]!
    expect(readFileSync(file, 'utf8')).toBe('export HEADRACE_TOKEN=secret\n')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(cluster.scripts[0]).not.toContain('secret')
  })

  test('leaves what an earlier call has written for scripts that wait', async () => {
    const seeded = await seed()
    const [first, second] = [createFakeCluster(), createFakeCluster()]
    await schedule(seeded, 1, first)
    await schedule(seeded, 1, second)
    const fileOf = ({ scripts }: FakeCluster) => /^\. (\S+) /m.exec(scripts[0]!)![1]!
    expect(fileOf(first)).not.toBe(fileOf(second))
    expect(existsSync(fileOf(first))).toBe(true)
  })
})

describe('fireAction()', () => {
  test('takes the action and asks for its allocations', async () => {
    const seeded = await seed()
    const cluster = createFakeCluster()
    const notes: string[] = []
    expect((await fire(seeded, cluster, notes))?.nodes).toHaveLength(2)
    expect(cluster.scripts[0]).toContain('--max-parallel-jobs 3')
    expect(notes).toEqual([expect.stringContaining('100, 101')])
    expect(await dueOf(seeded.workflowId)).toEqual([])
  })

  test('two at once submit once', async () => {
    const seeded = await seed()
    const cluster = createFakeCluster()
    await Promise.all([fire(seeded, cluster), fire(seeded, cluster)])
    expect(await rowsOf(seeded.workflowId)).toHaveLength(2)
  })

  test('puts back what Slurm refuses, once, for as many as are missing', async () => {
    const seeded = await seed()
    const taken: SubmitOutcome = { kind: 'submitted', id: '7', acknowledgedAtMs: 0 }
    await fire(seeded, createFakeCluster([taken, REFUSED]))
    const [again, ...others] = await dueOf(seeded.workflowId)
    expect(others).toEqual([])
    expect(again!.action_config).toMatchObject({ num_allocations: 1, max_parallel_jobs: 3 })
    await fireAll([again!], {
      workflow: await readWorkflow(askedOf(t), seeded.workflowId),
      asked: askedOf(t),
      site: site(),
      cluster: createFakeCluster(),
      note: () => {},
    })
    expect((await rowsOf(seeded.workflowId)).map(row => row.scheduler_id)).toEqual([7, 100])
    expect(await dueOf(seeded.workflowId)).toEqual([])
  })

  test('does not put back what may be in the queue', async () => {
    const seeded = await seed()
    await fire(seeded, createFakeCluster([UNKNOWN]))
    expect(await dueOf(seeded.workflowId)).toEqual([])
  })

  test('leaves the action alone when its script cannot be made', async () => {
    const seeded = await seed({ extra: 'a\nb' })
    await expect(fire(seeded, createFakeCluster())).rejects.toThrow('several lines')
    expect(await dueOf(seeded.workflowId)).toHaveLength(1)
  })
})
