import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import type { NodeStatus } from '../../runner/exec/status.ts'
import { hasNative } from '../helpers/launcher-kinds.ts'
import { waitUntil } from '../launcher/harness.ts'
import { openSite, type Running, type Site } from '../scenarios-runner/site.ts'
import { clientPath, startProgram } from './node.ts'

const client = clientPath(hasNative ? 'native' : 'shell')

/** Makes a site whose runner has a socket of its own. */
function openShared(workflow: string): { site: Site; env: NodeJS.ProcessEnv; launch(words: string[]): Running } {
  const site = openSite(workflow)
  const env = { HEADRACE_NODE_SOCKET: site.path('node/node.sock') }
  return { site, env, launch: words => startProgram(site, client, words, env) }
}

const jobs = (count: number, cpus: number, command: string): string => `
name: beside
resource_requirements:
  - { name: r, num_cpus: ${cpus}, memory: 1m }
jobs:
${Array.from({ length: count }, (_, i) => `  - { name: j${i}, command: "${command}", resource_requirements: r }`).join('\n')}
`

async function waitForNode(launch: (words: string[]) => Running): Promise<void> {
  const startedAt = performance.now()
  while ((await launch(['true']).ended).code !== 0)
    if (performance.now() - startedAt > 15_000) throw new Error('The runner lends nothing')
}

async function waitForNodeStatus(
  launch: (words: string[]) => Running,
  isTrue: (status: NodeStatus) => boolean,
): Promise<NodeStatus> {
  const startedAt = performance.now()
  for (;;) {
    const { stdout } = await launch(['--node-status']).ended
    const status = JSON.parse(stdout) as NodeStatus
    if (isTrue(status)) return status
    if (performance.now() - startedAt > 15_000) throw new Error(`Waited in vain: last seen ${stdout}`)
  }
}

test('S87 claimed jobs hold 6 of 8 cores: launches get at most 2, and jobs what launches leave', async () => {
  const { site, env, launch } = openShared(jobs(1, 6, 'read -r line <go'))
  execFileSync('mkfifo', [site.path('go'), site.path('go2')])
  const run = site.start(['run', 'workflow.yaml', '--num-cpus', '8', '--overcommit'], env)
  await waitForNode(launch)
  await waitForNodeStatus(launch, ({ free }) => free.cpus === 2)
  const one = launch(['-c', '2', 'sh', '-c', 'echo $HEADRACE_CORES; read -r line <go2'])
  await waitUntil(
    'two cores are lent',
    () => one.output.stdout,
    seen => /^\d,\d\n$/.test(seen),
  )
  const more = launch(['-c', '1', 'sh', '-c', 'echo $HEADRACE_CORES'])
  expect(await waitForNodeStatus(launch, ({ waiting }) => waiting.length === 1)).toMatchObject({ free: { cpus: 0 } })
  execFileSync('sh', ['-c', 'echo >go2'], { cwd: site.directory, timeout: 5_000 })
  expect(await more.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d\n$/) })
  expect(one.output.stdout).toContain((await more.ended).stdout.trim())
  execFileSync('sh', ['-c', 'echo >go'], { cwd: site.directory, timeout: 5_000 })
  expect(await run.ended).toMatchObject({ code: 0 })
})

test('a job that does not fit beside a launch runs when that has ended, and the run does not end before', async () => {
  const { site, env, launch } = openShared(`
name: two
resource_requirements:
  - { name: small, num_cpus: 1, memory: 1m }
  - { name: whole, num_cpus: 8, memory: 1m }
jobs:
  - { name: first, command: 'read -r line <go', resource_requirements: small }
  - { name: second, command: 'true', resource_requirements: whole, depends_on: [first] }
`)
  execFileSync('mkfifo', [site.path('go')])
  const run = site.start(['run', 'workflow.yaml', '--num-cpus', '8', '--overcommit'], env)
  await waitForNode(launch)
  await waitForNodeStatus(launch, ({ free }) => free.cpus === 7)
  const held = launch(['-c', '4', 'sleep', '100'])
  await waitForNodeStatus(launch, ({ holding }) => holding.length === 1)
  execFileSync('sh', ['-c', 'echo >go'], { cwd: site.directory, timeout: 5_000 })
  await waitUntil(
    'the first job has ended',
    () => completed(site),
    count => count >= 1,
  )
  expect(run.hasEnded()).toBe(false)
  held.child.kill('SIGTERM')
  expect(await run.ended).toMatchObject({ code: 0 })
  expect((await site.rows<{ status: number }>('SELECT status FROM result')).length).toBe(2)
})

function completed(site: Site): number {
  return execFileSync('sh', ['-c', 'grep -c "^E " headrace_output/runner/*/launches.journal || true'], {
    cwd: site.directory,
    encoding: 'utf8',
  })
    .split('\n')
    .map(Number)[0]!
}

test('launches inside a job use the cores of the job', async () => {
  const { site, env } = openShared(jobs(2, 4, `${client} -np 2 -c 2 sh -c 'echo cores $HEADRACE_CORES'`))
  await site.runTo(0, ['run', 'workflow.yaml', '--num-cpus', '8', '--overcommit'], env)
  const logs = execFileSync('sh', ['-c', 'cat headrace_output/job_stdio/*.o'], {
    cwd: site.directory,
    encoding: 'utf8',
  })
  expect(logs.split('\n').filter(Boolean).sort()).toEqual(['cores 0,1', 'cores 2,3', 'cores 4,5', 'cores 6,7'])
})

test('S88 launches go on while the control plane is down, and their records arrive later', async () => {
  const { site, env, launch } = openShared(jobs(1, 1, 'true'))
  await site.runTo(0, ['create', 'workflow.yaml'])
  const node = site.start(
    ['node', '--num-cpus', '4', '--overcommit', '--record-to', '1', '--url', 'http://127.0.0.1:9'],
    env,
  )
  await waitForNode(launch)
  expect(await launch(['sh', '-c', 'exit 6']).ended).toMatchObject({ code: 6 })
  expect(await launch(['--no-record', 'true']).ended).toMatchObject({ code: 0 })
  node.child.kill('SIGTERM')
  expect(await node.ended).toMatchObject({ code: 0 })
  const again = site.start(['node', '--num-cpus', '4', '--overcommit', '--record-to', '1'], env)
  await waitForNode(launch)
  again.child.kill('SIGTERM')
  expect(await again.ended).toMatchObject({ code: 0 })
  const rows = await site.rows<{ command: string; return_code: number }>(
    "SELECT command, return_code FROM result JOIN job_text ON job_text.id = result.job_id WHERE command LIKE 'sh -c exit%'",
  )
  expect(rows).toEqual([{ command: 'sh -c exit 6', return_code: 6 }])
})
