import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Incoming, Outgoing } from '../../runner/client/transport.ts'
import { createClient } from '../../runner/client.ts'
import { reconcile } from '../../runner/outbox/reconcile.ts'
import { createRandom } from '../../runner/random.ts'
import { VirtualNode, type World } from './node.ts'
import { createChance, faultsEndMs, HOUR_MS, MINUTE_MS, type Plan } from './plan.ts'
import { VirtualServer } from './server.ts'
import { createTroubles } from './troubles.ts'
import type { VirtualTime } from './virtual-time.ts'
import { Witness } from './witness.ts'
import { workflowOf } from './workload.ts'

export type Simulated = {
  seed: number
  violations: string[]
  jobs: number
  virtualHours: number
  realSeconds: number
  seen: Witness['seen']
}

const LOOK_EVERY_MS = 10 * MINUTE_MS
/** With the longest jobs and their retries, what is left when faults end is done by then. */
const HOURS_TO_FINISH = 12

/** Simulates one seed from the first runner's start until every job has ended, and holds it against the invariants all the way. */
export async function simulate(plan: Plan, time: VirtualTime, realNow: () => number): Promise<Simulated> {
  const beganAt = realNow()
  const startMs = time.nowMs
  // What draws chances in the code under test draws the same ones for the same seed.
  Math.random = createRandom(plan.seed)
  const chance = createChance(plan.seed)
  const witness = new Witness(() => time.nowMs)
  const directory = mkdtempSync(join(quickDirectory(), 'headrace-simulate-'))
  const server = new VirtualServer(time, directory, witness.observe)
  const areFaultsOver = (): boolean => time.nowMs - startMs >= faultsEndMs(plan)
  try {
    await server.start()
    const { text, jobs } = workflowOf(plan, chance)
    const workflowId = await createWorkflow(server, text)
    const world: World = { plan, time, server, witness, directory, workflowId, areFaultsOver }
    const nodes = Array.from({ length: plan.runners }, (_, index) => new VirtualNode(world, `node_${index}`, chance))
    let isOver = false
    const troubles = createTroubles(world, nodes, chance)
    troubles.begin()
    for (const node of nodes) void node.live()
    void watch(world, () => {
      isOver = true
    })
    await time.run(startMs + (plan.hours + HOURS_TO_FINISH) * HOUR_MS, () => isOver || witness.violations.length > 0)
    if (witness.violations.length === 0) await checkEnd(world)
    const violations = [...witness.violations, ...server.faults]
    const virtualHours = (time.nowMs - startMs) / HOUR_MS
    return {
      seed: plan.seed,
      violations,
      jobs,
      virtualHours,
      realSeconds: (realNow() - beganAt) / 1000,
      seen: witness.seen,
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Disks are not what is tested here: where there is one in memory, it is quicker by a half. */
function quickDirectory(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}

/** When all is done: whatever stands in an outbox is offered once more, which must change nothing, and nothing may be open or untold. */
async function checkEnd({ server, witness, directory, time }: World): Promise<void> {
  const client = createClient({ send: request => answeredBy(server, request), close: async () => {} })
  await reconcile(client, directory, { now: time.nowMs, again: true })
  witness.lookForUntold()
  await server.read(() => witness.look())
  await server.read(() => witness.lookForUnfinished())
}

async function answeredBy(server: VirtualServer, request: Outgoing): Promise<Incoming> {
  const reply = await server.handle(request)
  if (reply === undefined) throw new Error('Cannot check the end as the server is down')
  return reply
}

/** Looks at the database at regular times; over when all is done and the time is up. */
async function watch({ time, server, witness, plan, workflowId }: World, tellOver: () => void): Promise<void> {
  const untilMs = time.nowMs + plan.hours * HOUR_MS
  for (;;) {
    await time.pause(LOOK_EVERY_MS)
    if (!server.isUp) continue
    await time.during(server.read(() => witness.look()))
    const summary = await server.handle(requestOf('GET', `/workflows/${workflowId}/summary`))
    const isComplete = summary !== undefined && (JSON.parse(summary.text) as { is_complete: boolean }).is_complete
    if (isComplete && time.nowMs >= untilMs) return tellOver()
  }
}

async function createWorkflow(server: VirtualServer, text: string): Promise<number> {
  const reply = await server.handle(requestOf('POST', '/workflows/from_spec?start=true&file_name=simulated.json', text))
  if (reply?.status !== 200) throw new Error(`Cannot make the simulated workflow: ${reply?.text}`)
  return (JSON.parse(reply.text) as { workflow_id: number }).workflow_id
}

const requestOf = (method: 'GET' | 'POST', path: string, body?: string): Outgoing => ({
  method,
  path,
  headers: body === undefined ? {} : { 'content-type': 'application/json' },
  body,
  timeoutMs: MINUTE_MS,
})
