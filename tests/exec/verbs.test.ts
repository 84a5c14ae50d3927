import { expect, test } from 'vitest'
import { usualLauncher } from '../helpers/launcher-kinds.ts'
import { openNode } from './node.ts'

test('runner exec is hr-exec: streams, exit code, options', async () => {
  const node = await openNode(usualLauncher)
  const run = (...words: string[]) => node.site.run(['exec', ...words], node.env)
  expect(await run('-np', '2', '--keep-going', 'sh', '-c', 'exit $RANK')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: '',
  })
  expect(await run('sh', '-c', 'echo out; echo err >&2; exit 42')).toEqual({
    code: 42,
    signal: null,
    stdout: 'out\n',
    stderr: 'err\n',
  })
  expect(await run('sh', '-c', 'kill -9 $$')).toMatchObject({ code: 137 })
  expect(await run('--tiemout', '3', 'true')).toMatchObject({ code: 2 })
})

test('runner exec hands every word to the command, --help and --version too', async () => {
  const node = await openNode(usualLauncher)
  expect(await node.site.run(['exec', 'echo', '--help', '-h'], node.env)).toMatchObject({ stdout: '--help -h\n' })
  expect(await node.site.run(['exec', '--help'], node.env)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Usage: hr-exec'),
  })
})

test('runner node status shows for people and as JSON who holds cores', async () => {
  const node = await openNode(usualLauncher, { cpus: 4 })
  node.start(['-c', '3', 'sleep', '100'])
  await node.waitForStatus('one runs', ({ holding }) => holding.length === 1)
  node.start(['-c', '2', '--mem', '1g', 'true'])
  await node.waitForStatus('one waits', ({ waiting }) => waiting.length === 1)
  const { stdout } = await node.site.runTo(0, ['node', 'status'], node.env)
  expect(stdout).toMatch(/^Process \d+ lends 4 cores, .*; free: 1, /)
  expect(stdout).toContain('1 running, 1 waiting.')
  expect(stdout).toMatch(/runs +\d+ +0,1,2 .*sleep 100\n/)
  expect(stdout).toMatch(/waits +\d+ +2 .*1\.0 GiB.*true\n/)
  const json = JSON.parse((await node.site.runTo(0, ['node', 'status', '--format', 'json'], node.env)).stdout)
  expect(json).toMatchObject({
    total: { cpus: 4 },
    free: { cpus: 1 },
    holding: [{ cores: [0, 1, 2] }],
    waiting: [{ cpus: 2 }],
  })
})

test('runner node status without a runner ends with 3 and one line', async () => {
  const node = await openNode(usualLauncher)
  node.runner.child.kill('SIGTERM')
  await node.runner.ended
  const { code, stderr } = await node.site.run(['node', 'status'], node.env)
  expect([code, stderr.trim().split('\n').length]).toEqual([3, 1])
  expect(stderr).toContain('no runner answers')
})

test('runner node refuses more cores than there are without --overcommit', async () => {
  const node = await openNode(usualLauncher)
  expect(
    await node.site.run(['node', '--num-cpus', '4096'], { HEADRACE_NODE_SOCKET: node.site.path('x.sock') }),
  ).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--overcommit'),
  })
})
