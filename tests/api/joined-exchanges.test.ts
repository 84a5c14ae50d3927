import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { all, type Db } from '../../db/unit.ts'
import { type Reply, type TestApp, testApp } from '../helpers/app.ts'
import { completionOf } from '../helpers/completion.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { graphOf, independent, type Started, startWorkflow, statusesOf, workflowOf } from '../helpers/workflow.ts'
import { postOver } from '../helpers/wrapped-db.ts'

/** Requests for one workflow that wait for the writer at the same time are done as one on a file; nobody may notice. */

let t: TestApp
/** How many requests were done as one, each time it happened. */
let joined: number[]
let post: (path: string, body: unknown) => Promise<Reply>
beforeEach(async () => {
  t = await testApp()
  joined = []
  post = postOver(t, noting(t.db))
})
afterEach(async () => {
  await assertInvariants(t.db)
  await t.close()
})

function noting(db: Db): Db {
  return {
    read: unit => db.read(unit),
    write: (unit, joint) =>
      db.write(
        unit,
        joint && {
          ...joint,
          runAll(all) {
            joined.push(all.length)
            return joint.runAll(all)
          },
        },
      ),
    get writeTransactions() {
      return db.writeTransactions
    },
    close: () => db.close(),
  }
}

/** A server's transaction ends with a claim, so nothing is joined there. */
const onFile = (times: number[]): number[] => (t.dbPath.startsWith('http') ? [] : times)

const exchange = ({ workflowId }: Started, body: object): Promise<Reply> =>
  post(`/workflows/${workflowId}/batch_complete_jobs`, { completions: [], verdicts: true, ...body })

type Claimed = { id: number; claim_token: string }

/** A claim of that many jobs, to be started at once, under a lease. */
const claimOf = ({ nodeId }: Started, limit: number, fields: object = {}) => ({
  limit,
  compute_node_id: nodeId,
  start: true,
  lease_seconds: 60,
  num_cpus: limit,
  memory_gb: 64,
  num_gpus: 0,
  num_nodes: 1,
  ...fields,
})

const codesOf = ({ body }: Reply): string[] => body.verdicts.map(({ code }: { code: string }) => code)

it('every request gets its own verdicts and jobs that nobody else gets', async () => {
  const [runners, each, rounds] = [6, 5, 4]
  const layers = Array.from({ length: rounds }, (_, round) =>
    Array.from({ length: runners * each }, (_, k) => (round === 0 ? [] : [(round - 1) * runners * each + k])),
  )
  const w = await startWorkflow(t, workflowOf(graphOf(layers.flat())))
  const claims = () => Array.from({ length: runners }, () => exchange(w, { claim: claimOf(w, each) }))
  let held: Claimed[][] = (await Promise.all(claims())).map(({ body }) => body.claimed)
  const seen: number[] = []
  for (let round = 0; round < rounds; round++) {
    seen.push(...held.flat().map(({ id }) => id))
    const replies = await Promise.all(
      held.map(jobs => {
        const completions = jobs.map(({ id, claim_token }) => completionOf(w, id, { claim_token }))
        return exchange(w, { completions, claim: claimOf(w, each) })
      }),
    )
    expect(replies.map(({ body }) => body.completed)).toEqual(held.map(jobs => jobs.map(({ id }) => id)))
    held = replies.map(({ body }) => body.claimed)
  }
  expect(held.flat()).toEqual([])
  expect(seen.toSorted((a, b) => a - b)).toEqual(w.jobs)
  expect(new Set(await statusesOf(t, w.workflowId))).toEqual(new Set(['completed']))
  expect(joined).toEqual(onFile(Array(rounds + 1).fill(runners)))
})

it('what is wrong with one request is no other one’s', async () => {
  const w = await startWorkflow(t, workflowOf(independent(8)))
  const other = await startWorkflow(t, workflowOf(independent(1)))
  const { body } = await exchange(w, { claim: claimOf(w, 4) })
  const [a, b, c, d] = body.claimed as [Claimed, Claimed, Claimed, Claimed]
  const done = ({ id, claim_token }: Claimed) => completionOf(w, id, { claim_token })
  const replies = await Promise.all([
    exchange(w, { completions: [done(a)], claim: claimOf(w, 1) }),
    exchange(w, { completions: [done({ ...b, claim_token: 'wrong' })] }),
    exchange(w, { completions: [completionOf(w, other.jobs[0]!), done(c)] }),
    exchange(w, { completions: [completionOf(w, 987_654)], claim: claimOf(w, 1, { compute_node_id: 987_654 }) }),
    exchange(w, { completions: [completionOf({ ...w, nodeId: 987_654 }, d.id, { claim_token: d.claim_token })] }),
    exchange(w, { claim: claimOf(w, 1) }),
  ])
  expect(replies.map(codesOf)).toEqual([
    ['accepted'],
    ['lost_claim'],
    ['wrong_workflow', 'accepted'],
    ['not_found'],
    ['mismatch'],
    [],
  ])
  expect(replies.map(reply => reply.body.claimed?.map(({ id }: Claimed) => id))).toEqual([
    [w.jobs[4]],
    undefined,
    undefined,
    [],
    undefined,
    [w.jobs[5]],
  ])
  expect(replies[3]!.body.claim_reason).toBe('compute_node not found')
  expect(joined.at(-1)).toBe(onFile([6])[0])
})

it('one job in two requests at once is completed once', async () => {
  const w = await startWorkflow(t, workflowOf(independent(2)))
  const { body } = await exchange(w, { claim: claimOf(w, 2) })
  const completions = (body.claimed as Claimed[]).map(({ id, claim_token }) => completionOf(w, id, { claim_token }))
  const replies = await Promise.all([
    exchange(w, { completions }),
    exchange(w, { completions: completions.toReversed() }),
  ])
  expect(replies.map(codesOf)).toEqual([
    ['accepted', 'accepted'],
    ['duplicate', 'duplicate'],
  ])
  expect(replies.map(reply => reply.body.completed.length)).toEqual([2, 2])
  expect((await t.get(`/results?workflow_id=${w.workflowId}`)).body.total_count).toBe(2)
})

it('a workflow that is not there is told to each of those who ask', async () => {
  const nowhere: Started = { workflowId: 4711, nodeId: 1, jobs: [] }
  const replies = await Promise.all(
    [1, 2, 3].map(id => exchange(nowhere, { completions: [completionOf(nowhere, id)] })),
  )
  expect(replies.map(({ status }) => status)).toEqual([404, 404, 404])
})

it('requests for different workflows are done apart', async () => {
  const one = await startWorkflow(t, workflowOf(independent(4)))
  const two = await startWorkflow(t, workflowOf(independent(4)))
  const replies = await Promise.all([one, one, two, one].map(w => exchange(w, { claim: claimOf(w, 1) })))
  const ids = replies.map(({ body }) => body.claimed[0].id)
  expect(ids.toSorted((a, b) => a - b)).toEqual([...one.jobs.slice(0, 3), two.jobs[0]])
  expect(ids[2]).toBe(two.jobs[0])
  expect(joined).toEqual(onFile([2]))
})

const report = fc.record({
  job: fc.nat(7),
  status: fc.constantFrom('completed', 'completed', 'failed', 'terminated', 'pending_failed'),
  token: fc.constantFrom('right', 'right', 'right', 'wrong', 'none'),
  failureClass: fc.constantFrom(undefined, undefined, 'allocation_end', 'exit_code'),
})

it('reports that come at once have the outcome of reports that come one after the other', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(report, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 5 }),
      async requests => {
        const outcomes = await Promise.all(
          [true, false].map(async atOnce => {
            // Eight jobs that run, and below each two that wait for it, one of them for its neighbour too.
            const waiting = Array.from({ length: 8 }, (_, k) => [[k], [k, (k + 1) % 8]]).flat()
            const w = await startWorkflow(t, workflowOf(graphOf([...Array.from({ length: 8 }, () => []), ...waiting])))
            const { body } = await exchange(w, { claim: claimOf(w, 8) })
            const tokens = new Map((body.claimed as Claimed[]).map(({ id, claim_token }) => [id, claim_token]))
            const bodies = requests.map(reports => ({
              completions: reports.map(({ job, status, token, failureClass }) => {
                const id = w.jobs[job]!
                return completionOf(w, id, {
                  status,
                  ...(token === 'none' ? {} : { claim_token: token === 'right' ? tokens.get(id)! : 'wrong' }),
                  ...(failureClass === undefined || status === 'completed' ? {} : { failure_class: failureClass }),
                })
              }),
            }))
            const replies: Reply[] = []
            if (atOnce) replies.push(...(await Promise.all(bodies.map(one => exchange(w, one)))))
            else for (const one of bodies) replies.push(await exchange(w, one))
            const rows = await t.db.read(() =>
              all<object>(
                'SELECT status, attempt_id, losses, results, unfinished, unsuccessful, claim_token IS NULL AS free FROM job WHERE workflow_id = ? ORDER BY id',
                w.workflowId,
              ),
            )
            return { codes: replies.map(codesOf), rows }
          }),
        )
        expect(outcomes[0]).toEqual(outcomes[1])
      },
    ),
    { numRuns: onFile([1]).length > 0 ? 60 : 12 },
  )
})
