import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Client } from '../../runner/client.ts'
import { placesIn } from '../../runner/pipe/directory.ts'
import { tellStillborn } from '../../runner/pipe/stillborn.ts'
import type { PipeRun } from '../../runner/pipe/wire.ts'

let directory: string
let told: { path: string; body: unknown }[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-pipe-'))
  told = []
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const client = {
  async request(_method: string, path: string, body: unknown) {
    told.push({ path, body })
    return { ok: true, status: 200, value: {} }
  },
} as unknown as Client

const runWith = (...submissions: object[]) => ({ id: 4, directory, submissions }) as unknown as PipeRun
const gone = { id: 1, name: 'hr-00000001', state: 'gone', has_registered: false }

describe('tellStillborn()', () => {
  it('tells the end of the newest output of an array of which no runner registered', async () => {
    const place = placesIn(directory).submission(gone.name)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'hr-00000001.sh'), '#!/bin/bash')
    writeFileSync(join(place, 'hr-00000001.o7.1'), 'older')
    writeFileSync(join(place, 'hr-00000001.o7.2'), `${'x'.repeat(10_000)}\nout of memory\n`)
    writeFileSync(join(place, 'hr-00000001.o7.3'), '')
    utimesSync(join(place, 'hr-00000001.o7.1'), 1, 1)
    await tellStillborn(client, runWith(gone))
    const [{ path, body }] = told as [{ path: string; body: { message: string } }]
    expect(path).toBe('/pipe_runs/4/submissions/1')
    expect(body.message).toMatch(/hr-00000001\.o7\.2:\nx*\nout of memory$/)
    expect(body.message.length).toBeLessThan(5_000)
  })

  it('says so when it has printed nothing, and says nothing of others', async () => {
    await tellStillborn(
      client,
      runWith(
        gone,
        { ...gone, id: 2, has_registered: true },
        { ...gone, id: 3, state: 'submitted' },
        { ...gone, id: 4, message: 'known' },
      ),
    )
    expect(told).toEqual([
      { path: '/pipe_runs/4/submissions/1', body: { message: expect.stringContaining('printed nothing') } },
    ])
  })
})
