import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { skipUnless } from '../helpers/skip.ts'
import { waitUntil } from '../launcher/harness.ts'
import { startServer } from '../scenarios-runner/server.ts'
import { afterTest, openSite, type Site } from '../scenarios-runner/site.ts'
import { noSshd, type Sshd, startSshd } from './sshd.ts'

const overSsh = skipUnless(noSshd === undefined, noSshd ?? '')

let sshd: Sshd
beforeAll(async () => {
  if (noSshd === undefined) sshd = await startSshd()
})
afterAll(() => sshd?.close())

const GATED = `
name: far
jobs:
  - { name: gate, command: 'echo before; while [ ! -e go ]; do sleep 0.05; done; echo after' }
`

/** A site with a server and the workflow, whose one worker is the ssh server. */
async function openFar(workflow = GATED) {
  const site = openSite(workflow)
  const { url } = await startServer(site)
  await site.runTo(0, ['create', 'workflow.yaml'])
  await site.runTo(0, ['remote', 'add', '1', sshd.worker])
  // Each test has a directory of its own on the worker.
  const directory = join(site.directory, 'far')
  const ssh = ['--directory', directory, ...sshd.settings.flatMap(setting => ['--ssh-option', setting])]
  const folder = join(directory, 'wf1', sshd.worker.replace(/[^A-Za-z0-9.-]+/g, '_'))
  afterTest(async () => {
    await site.run(['remote', 'stop', '1', sshd.worker, ...ssh])
  })
  return { site, ssh, folder, url }
}

const itemsOf = async (site: Site, words: readonly string[], code: number) =>
  JSON.parse((await site.runTo(code, [...words, '--format', 'json'])).stdout).items

describe('runner remote', () => {
  overSsh('starts a runner that outlives the connection, shows it, fetches its logs and ends it', async () => {
    const { site, ssh, folder } = await openFar()
    expect(await itemsOf(site, ['remote', 'list', '1'], 0)).toMatchObject([{ worker: sshd.worker }])
    expect(await itemsOf(site, ['remote', 'status', '1', ...ssh], 0)).toEqual([{ worker: sshd.worker, state: 'none' }])

    const [started] = await itemsOf(site, ['remote', 'run', '1', ...ssh], 0)
    expect(started).toMatchObject({ worker: sshd.worker, state: 'running', pid: expect.any(Number) })
    expect(statSync(folder).mode & 0o077).toBe(0)
    const again = await itemsOf(site, ['remote', 'run', '1', ...ssh], 0)
    expect(again).toMatchObject([{ state: 'running', pid: started.pid, message: 'it runs already' }])

    const log = join(folder, 'output/job_stdio/job_wf1_j1_r0_a1.o')
    await waitUntil(
      'the job has printed',
      () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
      text => text !== '',
    )
    await site.runTo(0, ['remote', 'collect-logs', '1', ...ssh])
    const into = site.path(`remote_logs/${readdirSync(site.path('remote_logs'))[0]}`)
    expect(readFileSync(join(into, 'output/job_stdio/job_wf1_j1_r0_a1.o'), 'utf8')).toBe('before\n')

    const [stopped] = await itemsOf(site, ['remote', 'stop', '1', ...ssh], 0)
    expect(stopped).toMatchObject({ state: 'ended', exit_code: expect.any(Number) })
    const { stdout } = await site.runTo(0, ['jobs', 'list', '1', '--format', 'json'])
    expect(JSON.parse(stdout).items[0].status).toBe('ready')
  })

  overSsh('runs a workflow to its end; a drained runner lets its job end; the token is in no argument', async () => {
    const { site, ssh, folder } = await openFar()
    const [{ pid }] = await itemsOf(site, ['remote', 'run', '1', ...ssh, '--cwd', site.directory], 0)
    const { token } = JSON.parse(readFileSync(site.path('headrace_output/headrace.json'), 'utf8'))
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(token)
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).toContain(`HEADRACE_TOKEN=${token}`)
    const log = join(folder, 'output/job_stdio/job_wf1_j1_r0_a1.o')
    await waitUntil(
      'the job runs',
      () => existsSync(log),
      isThere => isThere,
    )
    const drained = site.start(['remote', 'stop', '1', '--drain', ...ssh, '--format', 'json'])
    await site.runTo(0, ['exec', '--help'])
    expect(drained.hasEnded()).toBe(false)
    await site.runTo(0, ['parallel', 'touch', 'go', ':::', '1'])
    const { code, stdout } = await drained.ended
    expect([code, JSON.parse(stdout).items]).toMatchObject([0, [{ state: 'ended', exit_code: 0 }]])
    await site.runTo(0, ['wait', '1'])
  })

  overSsh('tells a runner that was killed from one that runs, and starts it again', async () => {
    const { site, ssh } = await openFar()
    const [{ pid }] = await itemsOf(site, ['remote', 'run', '1', ...ssh], 0)
    process.kill(pid, 'SIGKILL')
    const status = () => itemsOf(site, ['remote', 'status', '1', ...ssh], 0)
    expect(await status()).toMatchObject([{ state: 'ended', exit_code: 137 }])
    const [next] = await itemsOf(site, ['remote', 'run', '1', ...ssh], 0)
    expect(next).toMatchObject({ state: 'running' })
    expect(next.pid).not.toBe(pid)
  })

  overSsh('starts one runner when it is asked for twice at once', async () => {
    const { site, ssh } = await openFar()
    const both = await Promise.all([1, 2].map(() => site.run(['remote', 'run', '1', ...ssh, '--format', 'json'])))
    const states = both.map(({ stdout }) => JSON.parse(stdout).items[0])
    const pids = new Set(states.flatMap(({ pid }: { pid?: number }) => pid ?? []))
    expect(pids.size).toBe(1)
    expect(await itemsOf(site, ['remote', 'status', '1', ...ssh], 0)).toMatchObject([{ pid: [...pids][0] }])
  })

  overSsh('says what is wrong with one machine and goes on with the others', async () => {
    const { site, ssh } = await openFar()
    await site.runTo(0, ['remote', 'add', '1', 'nobody@127.0.0.1:1'])
    const states = await itemsOf(site, ['remote', 'run', '1', ...ssh], 1)
    expect(states).toHaveLength(2)
    expect(states).toContainEqual(
      expect.objectContaining({
        worker: 'nobody@127.0.0.1:1',
        state: 'unreachable',
        message: expect.stringMatching(/refused/i),
      }),
    )
    expect(states).toContainEqual(expect.objectContaining({ worker: sshd.worker, state: 'running' }))
    const failed = await itemsOf(
      site,
      ['remote', 'run', '1', sshd.worker, '--runner', '/no/such/runner', ...ssh, '--directory', site.path('other')],
      1,
    )
    expect(failed).toMatchObject([{ state: 'ended', exit_code: 127, message: expect.stringContaining('not found') }])
    const noPlace = await itemsOf(
      site,
      ['remote', 'run', '1', sshd.worker, '--cwd', '/no/such/place', ...ssh, '--directory', site.path('third')],
      1,
    )
    expect(noPlace).toMatchObject([{ state: 'failed', message: expect.stringContaining('/no/such/place') }])
  })
})
