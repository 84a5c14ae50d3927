import { describe, expect, test } from 'vitest'
import { plan } from '../../runner/allocate/plan.ts'
import { GIB, groupOf, HOUR, policyFor, queueOf, requestOf, runnerOf, snapshotWith } from './given.ts'

/** What is asked for, in short: elements and where. */
const asked = (...args: Parameters<typeof plan>) =>
  plan(...args).submit.map(({ width, nodes, queues, walltimeSeconds }) => ({ width, nodes, queues, walltimeSeconds }))

describe('plan()', () => {
  test('asks for nothing when nothing is ready', () => {
    expect(plan(snapshotWith(), policyFor())).toEqual({ submit: [], surplus: [], unserved: [], held: [] })
  })

  test('packs jobs into the CPUs and the time of as few nodes as hold them', () => {
    // An hour has room for 52 jobs of a minute one after the other, on each of 4 CPUs.
    const groups = [groupOf({ count: 209 })]
    expect(asked(snapshotWith({ groups }), policyFor())).toEqual([
      { width: 2, nodes: 1, queues: [''], walltimeSeconds: HOUR },
    ])
    expect(plan(snapshotWith({ groups: [groupOf({ count: 208 })] }), policyFor()).submit).toMatchObject([
      { width: 1, jobs: 208 },
    ])
  })

  test('uses more nodes to finish sooner', () => {
    const groups = [groupOf({ count: 40 })]
    const policy = policyFor({ finishWithinSeconds: 120 })
    expect(plan(snapshotWith({ groups }), policy).submit).toMatchObject([{ width: 5 }])
  })

  test('takes the shortest wall time that fits, with room for a late start and an early end', () => {
    const policy = policyFor({ walltimesSeconds: [HOUR, 4 * HOUR] })
    const timeFor = (runtimeSeconds: number) => asked(snapshotWith({ groups: [groupOf({ runtimeSeconds })] }), policy)
    expect(timeFor(HOUR - 435)).toMatchObject([{ walltimeSeconds: HOUR }])
    expect(timeFor(HOUR)).toMatchObject([{ walltimeSeconds: 4 * HOUR }])
  })

  test('lets short jobs ride along where long ones leave room', () => {
    const groups = [groupOf({ runtimeSeconds: 10_000, cpus: 2 }), groupOf({ count: 20 })]
    const { submit } = plan(snapshotWith({ groups }), policyFor({ walltimesSeconds: [HOUR, 4 * HOUR] }))
    expect(submit).toMatchObject([{ width: 1, walltimeSeconds: 4 * HOUR, jobs: 21 }])
  })

  test('asks for jobs of several nodes by themselves', () => {
    const groups = [groupOf({ nodes: 3, count: 2, runtimeSeconds: 3_000 }), groupOf()]
    expect(asked(snapshotWith({ groups }), policyFor({ backlog: 3 }))).toMatchObject([
      { width: 2, nodes: 3 },
      { width: 1, nodes: 1 },
    ])
    const { submit, unserved } = plan(snapshotWith({ groups }), policyFor({ spansNodes: false }))
    expect([submit.length, unserved.map(({ reason }) => reason)]).toEqual([
      1,
      ['they need 3 nodes, and only on Slurm a runner spans several'],
    ])
  })

  test('subtracts what runners at work can do in the time they have', () => {
    const groups = [groupOf({ count: 40, runtimeSeconds: 300 })]
    const withRunner = (fields: object) =>
      plan(snapshotWith({ groups, runners: [runnerOf(fields)] }), policyFor()).submit
    expect(withRunner({ secondsLeft: 3_000 })).toEqual([])
    expect(withRunner({ secondsLeft: 1_500 })).toMatchObject([{ jobs: 20 }])
    // All its CPUs are taken until five minutes before its end.
    const used = { cpus: 4, memoryBytes: 4 * GIB, gpus: 0 }
    expect(withRunner({ secondsLeft: 1_500, used, busySeconds: 1_200 })).toMatchObject([{ jobs: 36 }])
    expect(withRunner({ labels: ['gpu'] })).toMatchObject([{ jobs: 40 }])
  })

  test('leaves no more to a runner without end than nodes of the shortest fitting wall time would do', () => {
    const groups = [groupOf({ count: 400, runtimeSeconds: 300 })]
    const policy = policyFor({ walltimesSeconds: [HOUR, 100 * HOUR] })
    const { submit } = plan(snapshotWith({ groups, runners: [runnerOf({ secondsLeft: undefined })] }), policy)
    // Ten rounds on each of its four CPUs.
    expect(submit.reduce((sum, { jobs }) => sum + jobs, 0)).toBe(360)
  })

  test('subtracts what is queued and starting, so that nothing is asked for twice', () => {
    const groups = [groupOf({ count: 416 })]
    const policy = policyFor({ backlog: 9 })
    const withRequests = (requests: ReturnType<typeof requestOf>[]) =>
      plan(snapshotWith({ groups, requests }), policy).submit
    expect(withRequests([requestOf({ queued: 2 })])).toEqual([])
    expect(withRequests([requestOf({ queued: 0, starting: 2 })])).toEqual([])
    expect(withRequests([requestOf({ queued: 1 })])).toMatchObject([{ width: 1, jobs: 208 }])
  })

  test('keeps the most nodes, the most of a request and the backlog, and says what it holds back', () => {
    const groups = [groupOf({ count: 10_000, cpus: 4, runtimeSeconds: 3_000 })]
    const policy = policyFor({ nodesMost: 7, requestMost: 3, backlog: 9 })
    expect(asked(snapshotWith({ groups }), policy).map(one => one.width)).toEqual([3, 3, 1])
    expect(asked(snapshotWith({ groups, runners: [runnerOf(), runnerOf()] }), policy).map(one => one.width)).toEqual([
      3, 2,
    ])
    const decision = plan(snapshotWith({ groups, queues: [queueOf({ backlog: 9 })] }), policy)
    expect(decision.submit).toEqual([])
    expect(decision.held).toEqual([
      expect.stringContaining('9 of at most 9 requests wait in the default queue'),
      expect.stringContaining('0 of at most 7 nodes'),
    ])
  })

  test('keeps the submissions of a minute and the node hours of a day', () => {
    const groups = [groupOf({ count: 10_000, cpus: 4, runtimeSeconds: 3_000 })]
    const policy = policyFor({ requestMost: 1, backlog: 99, submitsPerMinute: 3 })
    expect(asked(snapshotWith({ groups, queues: [queueOf({ submittedLastMinute: 1 })] }), policy)).toHaveLength(2)
    const days = policyFor({ nodeSecondsPerDay: 5 * HOUR })
    expect(asked(snapshotWith({ groups, queues: [queueOf({ nodeSecondsLastDay: HOUR })] }), days)).toMatchObject([
      { width: 4 },
    ])
  })

  test('asks for at least so many nodes, once a job has waited long enough', () => {
    const policy = policyFor({ requestLeast: 4 })
    const groups = [groupOf({ readySinceMs: 0 })]
    const early = plan(snapshotWith({ groups, nowMs: 599_000 }), policy)
    expect([early.submit, early.held]).toEqual([[], [expect.stringContaining('more are waited for')]])
    expect(asked(snapshotWith({ groups, nowMs: 600_000 }), policy)).toMatchObject([{ width: 4 }])
  })

  test('asks only for nodes that are full enough, or when a job has waited long enough', () => {
    const policy = policyFor({ utilizationLeast: 0.5 })
    const withJobs = (count: number, nowMs: number) =>
      plan(snapshotWith({ groups: [groupOf({ count, runtimeSeconds: 1_500 })], nowMs }), policy).submit
    expect(withJobs(2, 0)).toEqual([])
    expect(withJobs(5, 0)).toMatchObject([{ width: 1 }])
    expect(withJobs(2, 600_000)).toMatchObject([{ width: 1 }])
  })

  test('tries queues in their order: not paused, allowing the time, those that refused last at the end', () => {
    const policy = policyFor({
      queues: [{ name: 'short', walltimeMostSeconds: HOUR }, { name: 'long' }],
      walltimesSeconds: [HOUR, 4 * HOUR],
    })
    const queuesFor = (short: object, runtimeSeconds = 60) => {
      const queues = [queueOf({ name: 'short', ...short }), queueOf({ name: 'long' })]
      return asked(snapshotWith({ groups: [groupOf({ runtimeSeconds })], queues }), policy)[0]?.queues
    }
    expect(queuesFor({})).toEqual(['short', 'long'])
    expect(queuesFor({}, 9_000)).toEqual(['long'])
    expect(queuesFor({ refusedInRow: 1 })).toEqual(['long', 'short'])
    expect(queuesFor({ isPaused: true })).toEqual(['long'])
    expect(queuesFor({ backlog: 1 })).toEqual(['long'])
  })

  test('leaves out what no node or wall time of it fits, with the reason, and does the rest', () => {
    const groups = [
      groupOf({ cpus: 5 }),
      groupOf({ memoryBytes: 17 * GIB }),
      groupOf({ gpus: 1 }),
      groupOf({ nodes: 11 }),
      groupOf({ runtimeSeconds: HOUR }),
      groupOf({ labels: 'gpu' }),
      groupOf({ schedulerId: 3 }),
      groupOf(),
    ]
    const { unserved, submit } = plan(snapshotWith({ groups }), policyFor())
    expect(unserved.map(({ reason }) => reason)).toEqual([
      'they need 5 CPUs, and a node has 4',
      'they need 17.0 GiB of memory, and a node has 16.0 GiB',
      'they need 1 GPUs, and a node has 0',
      'they need 11 nodes, and at most 10 may be asked for at once',
      'they need the labels gpu, and the runners of this plan have no label',
      "they are bound to scheduler 3, which is not this plan's",
      expect.stringContaining('no wall time of the plan has room'),
    ])
    expect(submit).toMatchObject([{ width: 1, jobs: 1 }])
  })

  test('asks for nodes as large as the largest ready job where the user has not said', () => {
    const groups = [groupOf({ cpus: 3, memoryBytes: 2 * GIB, gpus: 1 }), groupOf({ memoryBytes: GIB, count: 5 })]
    const { submit } = plan(snapshotWith({ groups }), policyFor({ node: {} }))
    // Three of the small ones have room beside each other: 3 GiB.
    expect(submit[0]?.offer).toEqual({ cpus: 3, memoryBytes: 3 * GIB, gpus: 1 })
    const withCpus = plan(snapshotWith({ groups: [groupOf()] }), policyFor({ node: { cpus: 8 } }))
    expect(withCpus.submit[0]?.offer).toEqual({ cpus: 8, memoryBytes: 8 * GIB, gpus: 0 })
  })

  test('gives up queued elements that nobody needs, the newest request first, after a while', () => {
    const requests = [
      requestOf({ name: 'hr-00000001', queued: 2 }),
      requestOf({ name: 'hr-00000002', queued: 3, starting: 1, unneededSinceMs: 0 }),
    ]
    const groups = [groupOf({ cpus: 4, runtimeSeconds: 3_000 })]
    const at = (nowMs: number) => plan(snapshotWith({ groups, requests, nowMs }), policyFor()).surplus
    expect(at(59_000)).toEqual([
      { name: 'hr-00000002', elements: 3, cancel: false },
      { name: 'hr-00000001', elements: 1, cancel: false },
    ])
    expect(at(60_000)).toEqual([
      { name: 'hr-00000002', elements: 3, cancel: true },
      { name: 'hr-00000001', elements: 1, cancel: false },
    ])
  })

  test('gives up nothing while every queue is paused: what waits there is still needed', () => {
    const groups = [groupOf({ cpus: 4, runtimeSeconds: 3_000 })]
    const queues = [queueOf({ isPaused: true })]
    const decision = plan(snapshotWith({ groups, queues, requests: [requestOf()] }), policyFor())
    expect(decision).toMatchObject({ submit: [], surplus: [], unserved: [] })
    const alone = plan(snapshotWith({ groups, queues }), policyFor())
    expect(alone.held).toEqual(['every queue of the plan is paused'])
  })

  test('states the node time that nobody has a use for', () => {
    const { submit } = plan(snapshotWith({ groups: [groupOf({ cpus: 4, runtimeSeconds: 3_000 })] }), policyFor())
    expect(submit[0]?.wasteSeconds).toBe(600)
  })
})
