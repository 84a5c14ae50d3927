import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { LEASE_SECONDS } from '../../../api/core/leases.ts'
import { attemptOf } from '../../../runner/attempt.ts'
import { createLedger } from '../../../runner/capacity/ledger.ts'
import { must } from '../../../runner/client/must.ts'
import { openPoolTransport } from '../../../runner/client/pool-transport.ts'
import { createClient } from '../../../runner/client.ts'
import { finalise, makeLogDirectory } from '../../../runner/finalise.ts'
import { createFinalisers, onMainPath } from '../../../runner/job-threads/finalisers.ts'
import { openNative } from '../../../runner/launcher/native.ts'
import { createLoop, type LoopApi, type LoopOptions } from '../../../runner/loop.ts'
import { createLoopApi } from '../../../runner/loop-api.ts'
import { createEpochs } from '../../../runner/outbox/epoch.ts'
import { openOutbox } from '../../../runner/outbox/outbox.ts'
import { withOutbox } from '../../../runner/outbox/outbox-api.ts'
import { logFiles } from '../../../runner/stdio.ts'
import type { ExchangeRequest } from '../../../runner/wire.ts'
import type { Address } from '../server.ts'
import { answer } from './answer.ts'

export type GuardedRun = {
  address: Address
  workflowId: number
  directory: string
  /** The launcher as it is shipped. */
  launcher: string
  /** With leases, heartbeats and the outbox, or with none of the three. */
  isGuarded: boolean
}
export type GuardedEnd = { seconds: number; end: string }

const SLOTS = 2
const GIB = 2 ** 30

/** Runs a workflow with the runner's own loop and launcher against a server. What `runner run` does around its loop is left out. */
async function runGuarded({ address, workflowId, directory, launcher, isGuarded }: GuardedRun): Promise<GuardedEnd> {
  const outputDir = join(directory, 'node')
  mkdirSync(outputDir)
  makeLogDirectory(outputDir)
  const server = { baseUrl: `${address.url}/v1`, token: address.token }
  const epochs = createEpochs()
  const client = createClient(epochs.watch(openPoolTransport(server, process.env)), server)
  const node = { workflow_id: workflowId, hostname: hostname(), pid: process.pid, num_cpus: SLOTS, memory_gb: 1 }
  const kind = { num_gpus: 0, num_nodes: 1, compute_node_type: 'local', is_active: true }
  const registration = { ...node, ...kind, start_time: new Date().toISOString() }
  const { id } = await must(client.request<{ id: number }>('POST', '/compute_nodes', registration))
  const outbox = openOutbox({
    directory: join(outputDir, 'outbox'),
    header: { version: 1, host: hostname(), pid: process.pid, workflow_id: workflowId, compute_node_id: id },
    durability: 'process',
    clock: Date.now,
    onTrouble: message => process.stderr.write(`${message}\n`),
  })
  const api = createLoopApi(client, workflowId, id, false)
  const prepare: LoopOptions['prepare'] = job => ({
    attempt: attemptOf(job, {
      runId: 0,
      computeNodeId: id,
      cwd: directory,
      logs: logFiles(outputDir, 'separate', { workflowId, jobId: job.id, runId: 0, attemptId: job.attempt_id }),
      deleteLogsOnSuccess: false,
      usePendingFailed: false,
    }),
    argv: ['bash', '-c', job.command],
    env: {},
  })
  const loop = createLoop({
    api: isGuarded ? withOutbox(api, { client, outbox, epochs, clock: Date.now }) : withoutLeases(api),
    openLauncher: events => openNative(launcher, { journal: join(outputDir, 'launches.journal'), ...events }),
    ledger: createLedger({ cores: [0, 1], memoryBytes: GIB, gpus: [], slots: SLOTS }),
    prepare,
    readopt: (attempt, claim) => ({ ...attempt, ...claim }),
    finalisers: createFinalisers({
      execute: onMainPath(({ attempt, end, reason }) => finalise(attempt, end, reason)),
      bookkeep: ({ entry }) => isGuarded && outbox.add(entry),
    }),
    claim: { computeNodeId: id, leaseSeconds: LEASE_SECONDS, labels: [], bySlots: true },
    endOf: () => ({ signal: 'SIGTERM', graceMs: 1_000 }),
    lookMs: 5_000,
    offlineAtMostMs: 60_000,
    clock: Date.now,
  })
  const beganAt = performance.now()
  const end = await loop.run()
  const seconds = (performance.now() - beganAt) / 1000
  outbox.close()
  await client.close()
  return { seconds, end }
}

/** Claims as clients make them that know no leases: they never lapse, and nobody renews them. */
const withoutLeases = (api: LoopApi): LoopApi => ({
  ...api,
  exchange(request) {
    if (request.claim === undefined) return api.exchange(request)
    const { lease_seconds: _, ...claim } = request.claim
    return api.exchange({ ...request, claim: claim as ExchangeRequest['claim'] })
  },
  heartbeat: async () => ({ lost: [], cancel: [], reclaimed: [] }),
})

await answer(runGuarded)
