import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLocal } from '../../runner/schedulers/local.ts'
import { hostRuntime } from '../../runner/schedulers/runtime.ts'
import type { Scheduler } from '../../runner/schedulers/types.ts'
import { countElements, verdictOf } from '../../runner/schedulers/verdict.ts'
import { describeAdapter } from './adapter-scenarios.ts'
import { createSite, listUntil, type Site, submitted } from './cluster.ts'

const open = () => {
  const directory = mkdtempSync(join(tmpdir(), 'hr-local-'))
  const state = join(directory, 'state')
  return {
    state,
    scheduler: createLocal(hostRuntime({ ...process.env, HEADRACE_LOCAL_STATE: state })),
    close: () => rmSync(directory, { recursive: true, force: true, maxRetries: 10 }),
  }
}

describeAdapter('this machine', { name: 'local', throttles: true }, () => {
  const { state, scheduler, close } = open()
  return {
    scheduler,
    takeAway() {
      renameSync(state, `${state}.away`)
      writeFileSync(state, '')
      return () => {
        rmSync(state)
        renameSync(`${state}.away`, state)
      }
    },
    close,
  }
})

describe('createLocal()', () => {
  let state: string
  let scheduler: Scheduler
  let close: () => void
  let site: Site
  beforeEach(() => {
    ;({ state, scheduler, close } = open())
    site = createSite()
  })
  afterEach(() => {
    site.open()
    close()
    site.remove()
  })

  it('gives those that submit in the same moment an id each', async () => {
    site.open()
    const ids = await Promise.all(Array.from({ length: 5 }, () => submitted(scheduler, site.request())))
    expect(new Set(ids).size).toBe(5)
    for (const id of ids) await listUntil(scheduler, id, rows => rows.every(row => row.state === 'gone'))
  })

  it('knows what runs and what is lost when its supervisor was killed, and ends what runs', async () => {
    const id = await submitted(scheduler, site.request({ array: { first: 1, last: 5, throttle: 2 } }))
    await listUntil(scheduler, id, () => site.started().length === 2)
    process.kill(Number(readFileSync(join(state, id, 'pid'), 'utf8').split(' ')[0]), 'SIGKILL')
    await listUntil(scheduler, id, rows => !rows.some(row => row.state === 'queued'))
    expect(countElements(await scheduler.list({ ids: [id] }), id)).toEqual({ queued: 0, running: 2 })
    expect(await scheduler.cancel(id, { kind: 'all' })).toEqual({ kind: 'done' })
    const listing = await listUntil(scheduler, id, rows => rows.every(row => row.state === 'gone'))
    expect(verdictOf(listing, { id, acknowledgedAtMs: 0 })).toBe('gone')
  })

  it('ends an element at its walltime, and the next one begins', async () => {
    const id = await submitted(
      scheduler,
      site.request({ walltimeSeconds: 1, array: { first: 1, last: 2, throttle: 1 } }),
    )
    await listUntil(scheduler, id, rows => rows.every(row => row.state === 'gone'))
    expect(site.started()).toEqual([1, 2])
    expect(site.ended()).toEqual([])
  })

  it('refuses what cannot be written in words, and throws for nothing but a mistake in the request', async () => {
    writeFileSync(join(site.directory, 'file'), '')
    const outcome = await scheduler.submit(site.request({ directory: join(site.directory, 'file') }))
    expect(outcome).toMatchObject({ kind: 'refused', message: expect.stringContaining('a file is in the way') })
    await expect(scheduler.submit(site.request({ cores: 0 }))).rejects.toThrow('cores must be')
  })
})
