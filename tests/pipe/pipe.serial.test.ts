import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { openFile } from '../../db/open-file.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import { misfits, type Schema } from '../helpers/json-schema.ts'
import { waitUntil } from '../launcher/harness.ts'
import { startServer } from '../scenarios-runner/server.ts'
import { afterTest, openSite, type Site } from '../scenarios-runner/site.ts'
import { startFake } from '../schedulers/fakes/start.ts'

/** `runner pipe` from the command line to the last row, over elements of this machine and over the imitation of PBS. */

const LOCAL = ['--scheduler', 'local', '--walltime', '10m', '--grace', '1s']

/** The state of the local scheduler belongs to the test, too. */
const env = (site: Site): NodeJS.ProcessEnv => ({ HEADRACE_LOCAL_STATE: site.path('local-state') })

const jobs = (n: number, rest = ''): string => `
name: many
retry: { max: 2, backoff_seconds: 1, backoff_max_seconds: 1 }
deterministic: { exit_codes: [2] }
eject: true
parameters: { i: "1:${n}" }
jobs:
  - name: job_{i:02d}
    use_parameters: [i]
    family: opt
    command: |
      if [ {i} -eq 3 ] && [ "$TORC_ATTEMPT_ID" = 1 ]; then exit 1; fi
      if [ {i} -eq 5 ]; then exit 2; fi
      echo "worker $HEADRACE_PIPE_WORKER"
${rest}
`

const SCHEMAS: { $defs: Record<string, Schema>; commands: Record<string, Schema> } = JSON.parse(
  readFileSync(new URL('../../docs/cli-output.schema.json', import.meta.url), 'utf8'),
)

/** What a command has printed, held against its schema. */
function documentOf(command: string, stdout: string) {
  const document = JSON.parse(stdout)
  expect(misfits(document, SCHEMAS.commands[command]!, SCHEMAS.$defs)).toEqual([])
  return document
}

type Item = { id: number; state: string; ejected: number; members: { by_status: Record<string, number> } }
const itemsOf = (stdout: string): Item[] => JSON.parse(stdout).items

describe('runner pipe --scheduler local', () => {
  it('runs examples/conformers.yaml: a run for each family, what no try can help handed back, a step after each run, once', async () => {
    const site = openSite('')
    copyFileSync(
      fileURLToPath(new URL('../../examples/conformers.yaml', import.meta.url)),
      site.path('conformers.yaml'),
    )
    const choosing = ['--choose', '--threshold', '1', '--width', '4', '--post-step', 'sh conformers_data/rank.sh']
    const words = ['pipe', 'conformers.yaml', ...LOCAL, ...choosing, '--format', 'json']
    const first = await site.runTo(1, words, env(site))
    expect(documentOf('pipe start', first.stdout).items).toMatchObject([
      { state: 'active', ejected: 1, key: { family: 'conformer_opt' }, members: { by_status: { completed: 12 } } },
      {
        state: 'active',
        ejected: 0,
        key: { family: 'conformer_sp' },
        members: { by_status: { completed: 11, blocked: 1 } },
      },
    ])
    expect(first.stderr).toContain('Pipe run 1 has 1 job handed back')
    expect(existsSync(site.path('conformers_data/log.txt'))).toBe(false)

    await site.runTo(0, ['jobs', 'fail', 'opt_07'])
    const second = await site.runTo(1, words, env(site))
    expect(documentOf('pipe start', second.stdout).items).toMatchObject([{ state: 'partial' }, { state: 'partial' }])
    expect(readFileSync(site.path('conformers_data/lowest.txt'), 'utf8')).toBe('conformer 11 -75.3\n')
    const steps = readFileSync(site.path('conformers_data/log.txt'), 'utf8')
    expect(steps).toBe('conformer_opt: 12 completed, 1 failed\nconformer_sp: 11 completed, 1 failed\n')
    // Whoever calls again finds nothing to do.
    await site.runTo(0, words, env(site))
    expect(readFileSync(site.path('conformers_data/log.txt'), 'utf8')).toBe(steps)

    const directory = site.path('headrace_output/pipe/run_0001')
    expect(readdirSync(`${directory}/jobs`)).toHaveLength(13)
    expect(readdirSync(`${directory}/jobs/job_3`).sort()).toEqual(['attempt_1', 'attempt_2'])
    const result = JSON.parse(readFileSync(`${directory}/jobs/job_7/attempt_1/result.json`, 'utf8'))
    expect(result.completion).toMatchObject({ failure_class: 'deterministic', result: { return_code: 1 } })
    expect([1, 2, 3, 4]).toContain(result.worker)
    const db = openFile(site.path('headrace_output/headrace.db'))
    await assertInvariants(db).finally(() => db.close())

    const moved = site.path('archive/run_0001')
    mkdirSync(dirname(moved), { recursive: true })
    renameSync(directory, moved)
    appendFileSync(`${moved}/members.jsonl`, '{"job_id": 1')
    const restored = await site.runTo(1, ['pipe', 'restore', '--dir', moved, '--format', 'json'])
    expect(documentOf('pipe restore', restored.stdout)).toMatchObject({
      directory: moved,
      state: 'partial',
      unreadable: ['members.jsonl:14'],
    })
  })

  it.each([
    ['an unknown scheduler', ['--scheduler', 'lsf'], 'unknown', 2],
    ['a width of 0', [...LOCAL, '--width', '0'], '--width', 2],
    ['jobs of two families', LOCAL, 'differ in family', 2],
    ['a wall time that no job fits', [...LOCAL, '--family', 'opt', '--walltime', '90s'], 'does not fit', 2],
  ])('refuses %s, and nothing is recorded as submitted', async (_, words, said, code) => {
    const site = openSite(jobs(12, '  - { name: other, command: "true", family: sp }'))
    const { stderr } = await site.runTo(code, ['pipe', 'workflow.yaml', ...words], env(site))
    expect(stderr).toContain(said)
    const list = await site.run(['pipe', 'list', '--format', 'json'])
    expect(list.code === 3 || itemsOf(list.stdout).length === 0).toBe(true)
  })
})

describe('runner pipe --dry-run', () => {
  it('tells by its exit code that the scheduler would refuse, and leaves nothing behind that --new has made', async () => {
    const site = openSite(jobs(12))
    mkdirSync(site.path('bin'))
    const says = 'sbatch: error: invalid partition specified: nowhere'
    writeFileSync(site.path('bin/sbatch'), `#!/bin/sh\necho '${says}' >&2\nexit 1\n`, { mode: 0o755 })
    const words = [
      'pipe',
      'workflow.yaml',
      '--scheduler',
      'slurm',
      '--width',
      '1',
      '--walltime',
      '10m',
      '--new',
      '--dry-run',
    ]
    const { stdout } = await site.runTo(3, words, { PATH: `${site.path('bin')}:${process.env.PATH}` })
    expect(stdout).toContain(`slurm would refuse it: ${says}`)
    expect(JSON.parse((await site.run(['list', '--format', 'json'])).stdout)).toMatchObject({ items: [], count: 0 })
  })
})

describe('runner pipe --scheduler pbs', () => {
  it('S36 says the words of a scheduler that refuses, and submits the same run without staging it again', async () => {
    const fake = startFake('pbs')
    afterTest(() => fake.close())
    const site = openSite(jobs(12))
    const { url } = await startServer(site)
    const place = ['--url', url, '--poll-interval', '1s']
    const words = [
      'pipe',
      'workflow.yaml',
      '--scheduler',
      'pbs',
      '--width',
      '2',
      '--walltime',
      '10m',
      '--grace',
      '1s',
      '--idle-exit',
      '2s',
    ]
    const refused = await site.runTo(3, [...words, '--queue', 'nosuch', ...place], fake.env)
    expect(refused.stderr).toMatch(/stays staged: `runner pipe submit 1` tries again/)
    expect(fake.jobs()).toEqual([])
    const shown = await site.runTo(0, ['pipe', 'show', '1', '--url', url, '--format', 'json'])
    expect(documentOf('pipe show', shown.stdout)).toMatchObject({
      state: 'staged',
      submissions: [{ state: 'refused' }],
    })
    const throttle = ['pipe', 'throttle', '1', '1', '--url', url, '--format', 'json']
    const throttled = await site.runTo(0, throttle, fake.env)
    expect(documentOf('pipe throttle', throttled.stdout)).toEqual({
      id: 1,
      throttle: 1,
      changed_arrays: 0,
      troubles: [],
    })
    const again = await site.runTo(3, ['pipe', 'submit', '1', ...place], fake.env)
    expect(again.stderr).toContain('refused')

    const canceled = await site.runTo(0, ['pipe', 'cancel', '1', '--url', url, '--format', 'json'], fake.env)
    expect(documentOf('pipe cancel', canceled.stdout)).toMatchObject({ state: 'canceled', canceled_jobs: 12 })
    const other = await site.run([...words, '--new', ...place, '--format', 'json'], fake.env)
    expect(itemsOf(other.stdout)).toMatchObject([
      { state: 'active', ejected: 1, members: { by_status: { completed: 11 } } },
    ])
    expect(fake.jobs().map(job => job.elements.length)).toEqual([2])
    await waitUntil(
      'its elements have ended',
      () =>
        fake.jobs().flatMap(job => job.elements.filter(element => element.pid !== undefined && isAlive(element.pid))),
      alive => alive.length === 0,
    )
  })
})

function isAlive(pid: number): boolean {
  try {
    return !/^\S+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
