import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { hasNative } from '../helpers/launcher-kinds.ts'
import { waitUntil } from '../launcher/harness.ts'
import { openSite, type Site } from './site.ts'

const WORDS = ['run', 'workflow.yaml', '-j', '2', '--scratch', 'scratch']

const resultsOf = async (site: Site): Promise<{ failure_class?: string; return_code: number }[]> =>
  JSON.parse((await site.runTo(0, ['results', '1', '--format', 'json'])).stdout).items

test('S41 each attempt has a scratch directory of its own, and it is gone after a success and after a failure', async () => {
  const site = openSite(`
name: scratch
jobs:
  - { name: good, command: 'test "$TMPDIR" = "$HEADRACE_SCRATCH"; mktemp; stat -c %a "$TMPDIR" > mode; echo $TMPDIR > good' }
  - { name: bad, command: 'mkdir -p $TMPDIR/a/b; echo $TMPDIR > bad; exit 3' }
  - { name: own, command: 'echo $TMPDIR > own', env: { TMPDIR: /var/tmp } }
`)
  await site.runTo(1, WORDS)
  const [good, bad] = ['good', 'bad'].map(name => readFileSync(site.path(name), 'utf8').trim())
  expect(good).not.toBe(bad)
  for (const path of [good, bad]) expect(path).toMatch(`${site.path('scratch')}/`)
  expect(readFileSync(site.path('own'), 'utf8').trim()).toBe('/var/tmp')
  expect(readFileSync(site.path('mode'), 'utf8').trim()).toBe('700')
  expect(readdirSync(site.path('scratch'))).toEqual([])
})

test('S41 a scratch directory that cannot be made fails the attempt, in one line that says why, and leaves nothing', async () => {
  const site = openSite(`
name: none
jobs: [{ name: a, command: 'touch ran' }, { name: b, command: 'touch ran', depends_on: [a] }]
`)
  writeFileSync(site.path('scratch'), 'in the way')
  const { stderr } = await site.runTo(1, WORDS)
  expect(stderr.split('\n').filter(line => line.includes('A scratch directory cannot be made'))).toHaveLength(1)
  expect(await resultsOf(site)).toMatchObject([{ failure_class: 'spawn_error', return_code: 126 }])
  expect(existsSync(site.path('ran'))).toBe(false)
  expect(readFileSync(site.path('scratch'), 'utf8')).toBe('in the way')
})

test.skipIf(!hasNative)(
  'a job that goes on under the next runner keeps its scratch directory, until it has ended',
  async () => {
    const site = openSite(`
name: patient
jobs: [{ name: slow, command: 'echo $TMPDIR > begun; until test -e finish; do sleep 0.02; done; test -d $TMPDIR' }]
`)
    const first = site.start(WORDS)
    await waitUntil(
      'it runs',
      () => (existsSync(site.path('begun')) ? readFileSync(site.path('begun'), 'utf8').trim() : ''),
      Boolean,
    )
    const path = readFileSync(site.path('begun'), 'utf8').trim()
    first.child.kill('SIGKILL')
    await first.ended
    // What a former launch of the killed runner may have left.
    mkdirSync(`${path}/../j99_a1`)
    const second = site.start(WORDS)
    await waitUntil(
      'it goes on',
      () => second.output.stderr,
      said => said.includes('1 go on, 0 run again'),
    )
    await waitUntil(
      'what was left is gone',
      () => existsSync(`${path}/../j99_a1`),
      found => !found,
    )
    expect(existsSync(path)).toBe(true)
    writeFileSync(site.path('finish'), '')
    expect(await second.ended).toMatchObject({ code: 0 })
    expect(readdirSync(site.path('scratch'))).toEqual([])
  },
)

test('a directory of somebody else in the place of the scratch directory is not used', async () => {
  const site = openSite('name: link\njobs: [{ name: a, command: "echo $TMPDIR > where; exit 0" }]\n')
  await site.runTo(0, WORDS)
  const root = readFileSync(site.path('where'), 'utf8')
    .trim()
    .replace(/\/j1_a1$/, '')
  mkdirSync(site.path('trap'))
  writeFileSync(site.path('trap/theirs'), '')
  symlinkSync(site.path('trap'), root)
  const { stderr } = await site.runTo(1, [...WORDS, '--new'])
  expect(stderr).toContain("is somebody else's")
  expect(readdirSync(site.path('trap'))).toEqual(['theirs'])
})

test('--scratch wants a name', async () => {
  expect((await openSite('name: x').runTo(2, ['run', 'workflow.yaml', '--scratch', ''])).stderr).toContain(
    '--scratch as it is empty',
  )
})
