import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openSite } from './site.ts'

const RUN = ['run', 'workflow.yaml', '-j', '2']

const GOOD = `
name: good
jobs:
  - { name: first, command: echo first >> ran }
  - { name: second, command: echo second >> ran, depends_on: [first] }
`

/** Fails as long as the file "mended" is not there; what hangs below it is canceled then. */
const FLAWED = `
name: flawed
jobs:
  - { name: fine, command: echo fine >> ran }
  - { name: bad, command: 'echo bad >> ran; echo out; echo one >&2; echo two >&2; test -e mended' }
  - { name: below, command: echo below >> ran, depends_on: [bad], cancel_on_blocking_job_failure: true }
`

describe('runner run', () => {
  test('exits 0 when all jobs completed', async () => {
    const site = openSite(GOOD)
    const { code, stdout } = await site.run(RUN)
    expect(code).toBe(0)
    expect(stdout).toContain('all 2 jobs completed')
    expect(readFileSync(site.path('ran'), 'utf8')).toBe('first\nsecond\n')
  })

  test('exits 1 when a job failed, and shows the end of its log', async () => {
    const site = openSite(FLAWED)
    const { code, stdout } = await site.run(RUN)
    expect(code).toBe(1)
    expect(stdout).toContain('1 of 3 jobs completed')
    expect(stdout).toContain('bad (job 2) failed with return code 1 (exit_code)')
    expect(stdout).toMatch(/job_wf1_j2_r0_a1\.e\n.*job_wf1_j2_r0_a1\.o\n {2}\| one\n {2}\| two\n/)
  })

  test('exits 2 when the file is wrong, and runs nothing', async () => {
    const site = openSite(`${GOOD}\n  - { name: third, comand: 'true' }\n`)
    const { code, stderr } = await site.run(RUN)
    expect(code).toBe(2)
    expect(stderr).toMatch(/workflow\.yaml:\d+:\d+: /)
    expect(existsSync(site.path('ran'))).toBe(false)
  })

  test('exits 2 when an input is missing that no job makes, and creates nothing', async () => {
    const site = openSite(`
name: needs
files: [{ name: data, path: data.txt }]
jobs: [{ name: reads, command: 'cat \${files.input.data}' }]
`)
    const refused = await site.run(RUN)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('the input file "data" of job "reads" is missing')
    writeFileSync(site.path('data.txt'), '')
    await site.runTo(0, RUN)
    expect(await site.rows('SELECT id FROM workflow')).toHaveLength(1)
  })

  test('exits 3 when the workflow does not exist', async () => {
    const site = openSite(GOOD)
    const { code, stderr } = await site.run(['run', '77'])
    expect(code).toBe(3)
    expect(stderr).toContain('Cannot run workflow 77 as there is none with this id')
  })

  test('exits 3 when there is no control plane', async () => {
    const site = openSite(GOOD)
    const { code, stderr } = await site.run([...RUN, '--url', 'http://127.0.0.1:1'])
    expect(code).toBe(3)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('exits 3 when another runner of this host works in the output directory, and leaves its jobs alone', async () => {
    const site = openSite(
      'name: long\njobs: [{ name: waits, command: touch started; until test -e go; do sleep 0.05; done }]',
    )
    const first = site.start(RUN)
    while (!existsSync(site.path('started'))) await new Promise(resolve => setTimeout(resolve, 20))
    const second = await site.run([...RUN, '--db', 'other.db'])
    expect(second.code).toBe(3)
    expect(second.stderr).toContain(`process ${first.pid}`)
    writeFileSync(site.path('go'), '')
    expect((await first.ended).code).toBe(0)
  })

  test('--format json prints one document with counts and failures', async () => {
    const site = openSite(FLAWED)
    const { code, stdout } = await site.run([...RUN, '--format', 'json'])
    expect(code).toBe(1)
    const document = JSON.parse(stdout)
    expect(document).toMatchObject({
      workflow_id: 1,
      name: 'flawed',
      counts: { completed: 1, failed: 1, canceled: 1 },
      failed: [{ name: 'bad', return_code: 1, failure_class: 'exit_code' }],
    })
  })

  test('says at the start that a job is larger than the node, runs the others and ends', async () => {
    const site = openSite(`
name: large
resource_requirements: [{ name: huge, num_cpus: 64, memory: 1m, runtime: PT1M }]
jobs:
  - { name: small, command: touch small }
  - { name: big, command: touch big, resource_requirements: huge }
`)
    const { code, stdout, stderr } = await site.run(['run', 'workflow.yaml', '--num-cpus', '1'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^Job big cannot run on this node: .*64/m)
    expect(stdout).toContain('1 job left, and no node can run what is ready')
    expect([existsSync(site.path('small')), existsSync(site.path('big'))]).toEqual([true, false])
  })
})

describe('S104 the same command twice', () => {
  test('says that a finished workflow is finished and runs nothing', async () => {
    const site = openSite(GOOD)
    await site.run(RUN)
    const again = await site.run(RUN)
    expect(again.code).toBe(0)
    expect(again.stdout).toContain('finished before, nothing to run')
    expect(readFileSync(site.path('ran'), 'utf8')).toBe('first\nsecond\n')
  })

  test('goes on with an unfinished workflow', async () => {
    const site = openSite(`
name: rest
jobs:
  - { name: small, command: echo small >> ran }
  - { name: two, command: echo two >> ran, resource_requirements: pair }
resource_requirements: [{ name: pair, num_cpus: 2, memory: 1m, runtime: PT1M }]
`)
    await site.runTo(1, ['run', 'workflow.yaml', '--num-cpus', '1'])
    await site.runTo(0, ['run', 'workflow.yaml', '--num-cpus', '2', '--overcommit'])
    expect(readFileSync(site.path('ran'), 'utf8')).toBe('small\ntwo\n')
  })

  test('refuses a changed file and names --new, which makes another workflow', async () => {
    const site = openSite(GOOD)
    await site.run(RUN)
    writeFileSync(site.path('workflow.yaml'), GOOD.replace('echo second', 'echo changed'))
    const refused = await site.run(RUN)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('give --new')
    await site.runTo(0, [...RUN, '--new'])
    expect(readFileSync(site.path('ran'), 'utf8')).toBe('first\nsecond\nfirst\nchanged\n')
    expect(await site.rows('SELECT id FROM workflow')).toHaveLength(2)
  })

  test('takes a change of comments and layout for no change', async () => {
    const site = openSite(GOOD)
    await site.run(RUN)
    writeFileSync(site.path('workflow.yaml'), `# A comment.\n\n${GOOD}`)
    expect((await site.run(RUN)).stdout).toContain('finished before')
  })

  test('--retry-failed runs the failed jobs and what hangs below them again, and nothing else', async () => {
    const site = openSite(FLAWED)
    await site.runTo(1, RUN)
    writeFileSync(site.path('mended'), '')
    await site.runTo(1, RUN)
    await site.runTo(0, [...RUN, '--retry-failed'])
    const ran = readFileSync(site.path('ran'), 'utf8').trim().split('\n')
    expect(ran.sort()).toEqual(['bad', 'bad', 'below', 'fine'])
  })
})
