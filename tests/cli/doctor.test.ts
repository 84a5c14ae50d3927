import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkDirectory } from '../../runner/doctor/directory.ts'
import { checkLauncher, checkMemoryLimits, checkNode, checkScheduler } from '../../runner/doctor/machine.ts'
import { checkServer } from '../../runner/doctor/server.ts'
import { serve } from './http-server.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-doctor-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('checkNode()', () => {
  test.each([
    ['20.19.0', 'linux', 'ok'],
    ['24.1.0', 'linux', 'ok'],
    ['20.18.9', 'linux', 'bad'],
    ['18.20.0', 'linux', 'bad'],
    ['22.0.0', 'darwin', 'warn'],
    ['22.0.0', 'win32', 'bad'],
  ])('calls Node %s on %s %s', (version, platform, state) => {
    expect(checkNode(version, platform, 'x64').state).toBe(state)
  })
})

test('checkLauncher() warns without the native launcher', () => {
  expect(checkLauncher('/x/headrace-launcher').state).toBe('ok')
  expect(checkLauncher(undefined).state).toBe('warn')
})

test('checkMemoryLimits() says who holds jobs to their memory, and why it is not the kernel', () => {
  expect(checkMemoryLimits(undefined).message).toContain('by the kernel')
  expect(checkMemoryLimits('/x may not be written').message).toContain('/x may not be written')
})

describe('checkScheduler()', () => {
  const program = (name: string, text: string) => {
    writeFileSync(join(directory, name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(directory, name), 0o755)
  }
  // Not the machine's own: it may have a scheduler.
  const env = () => ({ PATH: directory })

  test('finds Slurm by its command, and warns when it does not answer', () => {
    program('sbatch', '')
    program('sinfo', 'echo "no route to slurmctld" >&2; exit 1')
    expect(checkScheduler(env())).toMatchObject({
      state: 'warn',
      message: 'Slurm does not answer: no route to slurmctld',
    })
    program('sinfo', 'echo debug')
    expect(checkScheduler({ ...env(), SLURM_JOB_ID: '7' })).toMatchObject({
      state: 'ok',
      message: 'Slurm; this is inside allocation 7',
    })
  })

  test('does not take Grid Engine for PBS, whose commands have the same names', () => {
    for (const name of ['qsub', 'qstat', 'qconf']) program(name, '')
    expect(checkScheduler(env())).toMatchObject({ state: 'ok', message: 'Grid Engine' })
    rmSync(join(directory, 'qconf'))
    expect(checkScheduler(env())).toMatchObject({ state: 'ok', message: 'PBS' })
  })

  test('is content without one', () => {
    expect(checkScheduler({ PATH: directory }).state).toBe('ok')
  })
})

describe('checkDirectory()', () => {
  test('judges a directory that is to be made by where it would be', () => {
    expect(checkDirectory(join(directory, 'a', 'b'))).toMatchObject({
      state: 'ok',
      message: expect.stringContaining('(to be made)'),
    })
    mkdirSync(join(directory, 'a'))
    expect(checkDirectory(join(directory, 'a')).message).not.toContain('to be made')
  })

  test('calls one bad where nothing can be made', () => {
    writeFileSync(join(directory, 'file'), '')
    expect(checkDirectory(join(directory, 'file', 'below')).state).toBe('bad')
  })
})

describe('checkServer()', () => {
  const answers = (date: Date) =>
    serve((request, response) => {
      response.setHeader('date', date.toUTCString())
      const body = request.url!.endsWith('/version') ? { version: '1', api_version: '0.23.0' } : { items: [], count: 0 }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
    })

  test('compares the clocks', async () => {
    const [server, clock] = await checkServer({ url: await answers(new Date()) }, {})
    expect([server!.state, clock!.state]).toEqual(['ok', 'ok'])
    const [, ahead] = await checkServer({ url: await answers(new Date(Date.now() + 3_600_000)) }, {})
    expect(ahead).toMatchObject({ check: 'clock', state: 'warn', message: expect.stringMatching(/3\d{3} s ahead/) })
  })

  test('calls a server bad that refuses', async () => {
    const url = await serve((request, response) => {
      const known = request.url!.endsWith('/version')
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' })
      response.end(known ? '{"version":"1","api_version":"1"}' : '{"error":{"message":"who are you"}}')
    })
    expect(await checkServer({ url }, {})).toEqual([
      { check: 'server', state: 'bad', message: expect.stringContaining('who are you') },
    ])
  })

  test('is content where no database is yet', async () => {
    expect(await checkServer({ 'output-dir': directory }, {})).toMatchObject([{ check: 'server', state: 'ok' }])
  })
})
