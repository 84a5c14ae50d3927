import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LEASE_SECONDS } from '../../api/core/leases.ts'
import { createLedger } from '../../runner/capacity/ledger.ts'
import { createAppTransport } from '../../runner/client/app-transport.ts'
import type { Transport } from '../../runner/client/transport.ts'
import { createClient } from '../../runner/client.ts'
import { createFinalisers } from '../../runner/job-threads/finalisers.ts'
import { createLoop, type Loop, type LoopApi } from '../../runner/loop.ts'
import { createLoopApi } from '../../runner/loop-api.ts'
import { createManyApi } from '../../runner/start/many-api.ts'
import { openServedWorkflows } from '../../runner/start/served.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedNode } from '../helpers/seed.ts'
import { jobOf, requirementsOf, startWorkflow, workflowOf } from '../helpers/workflow.ts'
import { simulateLauncher } from './simulated-launcher.ts'

let t: TestApp
beforeEach(async () => {
  t = await testApp()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
})
afterEach(async () => {
  vi.useRealTimers()
  await t.close()
})

const RUNNERS = 40
const WATCHED_SECONDS = 300

/** A runner's loop with nothing to run: its launcher is never asked for anything. */
function idleLoop(api: LoopApi, computeNodeId: number | undefined): Loop {
  return createLoop({
    api,
    openLauncher: async events => simulateLauncher(() => ({ durationMs: 1 }), events),
    ledger: createLedger({ cores: [0, 1], memoryBytes: 2 ** 30, gpus: [] }),
    prepare: () => {
      throw new Error('Nothing fits this runner')
    },
    readopt: attempt => attempt,
    finalisers: createFinalisers({ execute: () => ({ error: 'nothing ever ends' }) }),
    claim: { computeNodeId, leaseSeconds: LEASE_SECONDS, labels: [], bySlots: false },
    stays: true,
    endOf: () => ({ signal: 'SIGTERM', graceMs: 1_000 }),
    lookMs: 5_000,
    offlineAtMostMs: 60_000,
    clock: Date.now,
  })
}

/** Counts what passes. */
function counted(transport: Transport, count: () => void): Transport {
  return {
    ...transport,
    send(request) {
      count()
      return transport.send(request)
    },
  }
}

/** What so many idle runners cost the server in a second, once they have found out that there is nothing for them. */
async function costOf(apiOf: (client: ReturnType<typeof createClient>) => Promise<LoopApi>, nodeId?: number) {
  let requests = 0
  const client = createClient(counted(createAppTransport(t.app), () => requests++))
  const loops = await Promise.all(Array.from({ length: RUNNERS }, async () => idleLoop(await apiOf(client), nodeId)))
  const ends = loops.map(loop => loop.run())
  await vi.advanceTimersByTimeAsync(120_000)
  const before = { requests, writes: t.db.writeTransactions }
  await vi.advanceTimersByTimeAsync(WATCHED_SECONDS * 1_000)
  const cost = {
    perThousandInASecond: ((requests - before.requests) / WATCHED_SECONDS) * (1_000 / RUNNERS),
    writes: t.db.writeTransactions - before.writes,
  }
  for (const loop of loops) loop.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  await Promise.all(ends)
  return cost
}

/** A job that fits nobody here keeps the workflow open. */
async function startTooLarge(): Promise<number> {
  const job = jobOf('too large', { resourceRequirements: 0 })
  const resourceRequirements = [requirementsOf('large', { numCpus: 64 })]
  return (await startWorkflow(t, workflowOf([job], { resourceRequirements }))).workflowId
}

test('1,000 idle runners of one workflow cost less than 50 requests in a second, and no write transaction', async () => {
  const workflowId = await startTooLarge()
  const nodeId = await seedNode(t, workflowId)
  const cost = await costOf(async client => createLoopApi(client, workflowId, nodeId, false), nodeId)
  expect(cost.perThousandInASecond).toBeGreaterThan(20)
  expect(cost.perThousandInASecond).toBeLessThan(50)
  expect(cost.writes).toBe(0)
})

test('1,000 idle runners of whatever comes cost less than 50 requests in a second, and no write transaction', async () => {
  await startTooLarge()
  const cost = await costOf(async client => {
    const served = openServedWorkflows({
      client,
      proof: {},
      apiUrl: '',
      outputDir: '',
      note() {},
      onChange() {},
      clock: Date.now,
    })
    const node = {
      hostname: 'n',
      pid: 1,
      start_time: new Date().toISOString(),
      num_cpus: 2,
      memory_gb: 1,
      num_gpus: 0,
      num_nodes: 1,
      time_limit: undefined,
      scheduler_config_id: undefined,
      scheduler: undefined,
      compute_node_type: 'local',
      is_active: true,
      labels: [],
    }
    return createManyApi({ client, wanted: {}, node, served, leaseSeconds: LEASE_SECONDS })
  })
  expect(cost.perThousandInASecond).toBeGreaterThan(20)
  expect(cost.perThousandInASecond).toBeLessThan(50)
  expect(cost.writes).toBe(0)
})
