import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { checkDatabase } from '../../api/node/maintenance/main.ts'
import { type Sqld, startSqld } from '../helpers/sqld.ts'
import { type ControlPlanes, startControlPlanes } from './soak-control-planes.ts'
import { type Ledger, runVirtualRunner } from './soak-runner.ts'

/** How long each soak takes about; half an hour by hand: HEADRACE_SOAK_SECONDS=1800. */
const SECONDS = Number(process.env.HEADRACE_SOAK_SECONDS ?? 40)
const RUNNERS = 200
const WORKFLOWS = 4
const LAYERS = 5

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** A job of each layer waits for the one of the same number in the layer before it. */
function spec(jobs: number): string {
  const width = Math.ceil(jobs / LAYERS)
  const layers = Array.from({ length: LAYERS }, (_, layer) => {
    const after = layer === 0 ? '' : `, depends_on: ["layer_${layer - 1}_{i}"]`
    return `  - { name: "layer_${layer}_{i}", command: "true", parameters: { i: "1:${width}" }${after} }`
  })
  return `name: soak\njobs:\n${layers.join('\n')}\n`
}

async function soak(planes: ControlPlanes, jobsPerSecond: number, faults: readonly (() => Promise<void>)[]) {
  const jobs = SECONDS * jobsPerSecond
  const workflows: number[] = []
  for (let index = 0; index < WORKFLOWS; index++) {
    const reply = await fetch(`${planes.urls[0]}/v1/workflows/from_spec?start=true`, {
      method: 'POST',
      headers: { authorization: `Bearer ${planes.token}` },
      body: spec(jobs / WORKFLOWS),
    })
    workflows.push(((await reply.json()) as { workflow_id: number }).workflow_id)
  }
  const ledger: Ledger = { accepted: new Map(), twice: [], unexpected: [], requests: 0, silences: 0 }
  // Well above what the slowest machine needs; a soak that hangs is a failure.
  const deadlineMs = Date.now() + SECONDS * 1000 * 4 + 120_000
  let over = false
  const runners = Promise.all(
    Array.from({ length: RUNNERS }, (_, index) =>
      runVirtualRunner({
        url: planes.urls[index % planes.urls.length]!,
        token: planes.token,
        workflowId: workflows[index % WORKFLOWS]!,
        deadlineMs,
        ledger,
        fallsSilent: index % 20 === 0,
      }),
    ),
  ).finally(() => {
    over = true
  })
  let faulted = 0
  const faultAgainAndAgain = async () => {
    for (; !over; faulted++) {
      await sleep(4_000 + Math.random() * 4_000)
      if (!over) await faults[faulted % faults.length]!()
    }
  }
  await Promise.all([runners, faultAgainAndAgain()])
  expect(ledger.unexpected.slice(0, 5), planes.said()).toEqual([])
  expect(ledger.twice).toEqual([])
  const total = WORKFLOWS * LAYERS * Math.ceil(jobs / WORKFLOWS / LAYERS)
  for (const id of workflows) {
    const reply = await fetch(`${planes.urls[0]}/v1/workflows/${id}/summary`, {
      headers: { authorization: `Bearer ${planes.token}` },
    })
    const { jobs_by_status } = (await reply.json()) as { jobs_by_status: Record<string, number> }
    expect(Object.entries(jobs_by_status).filter(([, n]) => n > 0)).toEqual([['completed', total / WORKFLOWS]])
  }
  // A completion whose reply was lost is not here, but no more than that.
  expect(ledger.accepted.size).toBeLessThanOrEqual(total)
  expect(ledger.accepted.size).toBeGreaterThan(total * 0.9)
  expect(faulted).toBeGreaterThanOrEqual(3)
  expect(ledger.silences).toBeGreaterThan(0)
}

describe(`${RUNNERS} runners`, () => {
  test('lose nothing and do nothing twice while their server is killed and frozen', {
    timeout: SECONDS * 6_000 + 240_000,
  }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'headrace-soak-'))
    cleanUps.push(() => rmSync(directory, { recursive: true, force: true }))
    const db = join(directory, 'soak.db')
    const planes = await startControlPlanes(directory, db, 1)
    cleanUps.push(() => planes.stop())
    await soak(planes, 100, [() => planes.kill(0), () => planes.freeze(0, 5_000)])
    await planes.stop()
    expect(await checkDatabase({ db })).toEqual([])
  })

  test('lose nothing and do nothing twice while either of two servers and their database are killed', {
    timeout: SECONDS * 6_000 + 240_000,
  }, async () => {
    const sqld: Sqld = await startSqld()
    cleanUps.push(() => sqld.stop())
    const directory = mkdtempSync(join(tmpdir(), 'headrace-soak-'))
    cleanUps.push(() => rmSync(directory, { recursive: true, force: true }))
    const planes = await startControlPlanes(directory, sqld.url, 2)
    cleanUps.push(() => planes.stop())
    await soak(planes, 20, [
      () => planes.kill(0),
      () => sqld.restart(),
      () => planes.freeze(1, 5_000),
      () => planes.kill(1),
    ])
    await planes.stop()
    expect(await checkDatabase({ db: sqld.url })).toEqual([])
  })
})
