import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { skipUnless } from '../helpers/skip.ts'
import { isGone, waitUntil } from '../launcher/harness.ts'
import { afterTest } from '../scenarios-runner/site.ts'
import { clientPath, kinds, type LentNode, openNode, startProgram } from './node.ts'

const hasNative = kinds.includes('native')
const isRoot = process.getuid?.() === 0

describe.each(kinds)('local launches, %s', kind => {
  test('S85 a client that is killed takes its processes with it, and its cores are free within 6 s', async () => {
    const node = await openNode(kind)
    const script = 'sleep 100 & setsid sleep 100 & (env -i sleep 100 &) ; echo $! $$; wait'
    const client = node.start(['-c', '5', 'sh', '-c', script])
    await waitUntil(
      'the command runs',
      () => client.output.stdout,
      seen => seen.includes('\n'),
    )
    const [child, main] = client.output.stdout.trim().split(' ').map(Number)
    client.child.kill('SIGKILL')
    const startedAt = performance.now()
    await node.waitForStatus('the cores are free', ({ free }) => free.cpus === 8)
    expect(performance.now() - startedAt).toBeLessThan(6_000)
    for (const pid of [child!, main!])
      await waitUntil(
        `process ${pid} is gone`,
        () => isGone(pid),
        gone => gone,
        1_000,
      )
    expect(node.records().map(record => record.return_code)).not.toContain(0)
  })

  test('a client that is killed while it waits leaves the queue', async () => {
    const node = await openNode(kind, { cpus: 1 })
    const holder = node.start(['sleep', '100'])
    await node.waitForStatus('the first one runs', ({ holding }) => holding.length === 1)
    const waiter = node.start(['true'])
    await node.waitForStatus('the second one waits', ({ waiting }) => waiting.length === 1)
    waiter.child.kill('SIGKILL')
    await node.waitForStatus('nobody waits', ({ waiting }) => waiting.length === 0)
    const next = node.start(['true'])
    holder.child.kill('SIGTERM')
    expect(await next.ended).toMatchObject({ code: 0 })
  })

  test('TERM sent to a client ends its command', async () => {
    const node = await openNode(kind)
    const client = node.start(['sh', '-c', 'echo $$; exec sleep 100'])
    await waitUntil(
      'the command runs',
      () => client.output.stdout,
      seen => seen.includes('\n'),
    )
    client.child.kill('SIGTERM')
    const { code, signal } = await client.ended
    expect(code === 143 || signal === 'SIGTERM').toBe(true)
    await waitUntil(
      'the command is gone',
      () => isGone(Number(client.output.stdout)),
      gone => gone,
    )
    await node.waitForStatus('the cores are free', ({ free }) => free.cpus === 8)
  })

  test('a runner that is killed and started again counts what still runs, and lends it to nobody else', async () => {
    const node = await openNode(kind, { cpus: 4 })
    const go = node.site.path('go')
    execFileSync('mkfifo', [go])
    const client = node.start(['-c', '3', 'sh', '-c', 'echo $HEADRACE_CORES; read -r line <go; exit 7'])
    await waitUntil(
      'the command runs',
      () => client.output.stdout,
      seen => seen === '0,1,2\n',
    )
    node.runner.child.kill('SIGKILL')
    await node.runner.ended
    await node.restart()
    await node.waitForStatus('its cores are counted', ({ free }) => free.cpus === 1)
    expect(await node.run(['sh', '-c', 'echo $HEADRACE_CORES'])).toMatchObject({ code: 0, stdout: '3\n' })
    const waiter = node.start(['-c', '2', 'true'])
    await node.waitForStatus('two cores are not free', ({ waiting }) => waiting.length === 1)
    execFileSync('sh', ['-c', `echo >${go}`], { timeout: 5_000 })
    expect(await client.ended).toMatchObject({ code: 7 })
    expect(await waiter.ended).toMatchObject({ code: 0 })
    await node.waitForStatus('all is free', ({ free }) => free.cpus === 4)
  })

  test('a client that is killed while no runner is there is cleared up after by the next one', async () => {
    const node = await openNode(kind)
    const client = node.start(['-c', '3', 'sh', '-c', 'setsid sleep 100 & echo $!; wait'])
    await waitUntil(
      'the command runs',
      () => client.output.stdout,
      seen => seen.includes('\n'),
    )
    node.runner.child.kill('SIGKILL')
    await node.runner.ended
    client.child.kill('SIGKILL')
    await node.restart()
    await waitUntil(
      'what it left is gone',
      () => isGone(Number(client.output.stdout)),
      gone => gone,
    )
    await node.waitForStatus('the cores are free', ({ free }) => free.cpus === 8)
  })

  test('the socket directory is there again soon after somebody removed it', async () => {
    const node = await openNode(kind)
    const client = node.start(['-c', '3', 'sh', '-c', 'echo run; sleep 3; exit 5'])
    await waitUntil(
      'the command runs',
      () => client.output.stdout,
      seen => seen === 'run\n',
    )
    rmSync(dirname(node.socket), { recursive: true })
    await waitForLaunch(node)
    expect(await client.ended).toMatchObject({ code: 5 })
    await node.waitForStatus('all is free', ({ free }) => free.cpus === 8)
    expect(statSync(dirname(node.socket)).mode & 0o777).toBe(0o700)
  })

  test('a full disk costs no launch anything, and records are kept until there is room', async () => {
    const node = await openNode(kind, { env: { HEADRACE_EXEC_WORKFLOW: undefined } })
    // A directory in the place of the file: nothing can be written, for root as well.
    const records = join(
      node.site.directory,
      'headrace_output/runner',
      execFileSync('uname', ['-n']).toString().trim(),
      'exec.jsonl',
    )
    mkdirSync(records)
    for (let i = 0; i < 20; i++) expect(await node.run(['true'])).toMatchObject({ code: 0 })
    rmSync(records, { recursive: true })
    await waitUntil(
      'the records are there',
      () => node.records().length,
      count => count === 20,
    )
  })

  test('S89 without a runner a launch ends with 125 and one line', async () => {
    const node = await openNode(kind)
    node.runner.child.kill('SIGTERM')
    await node.runner.ended
    const millis: number[] = []
    for (let i = 0; i < 5; i++) {
      const startedAt = performance.now()
      expect(await node.run(['true'])).toMatchObject({ code: 125, stdout: '' })
      millis.push(performance.now() - startedAt)
    }
    // Ten times as wide as what is promised.
    expect(Math.min(...millis)).toBeLessThan(100)
    const ended = await node.run(['true'])
    expect(ended.stderr).toMatch(/^Cannot launch as no runner answers at .*node\.sock.*: `runner node` starts one\n$/)
  })

  test('a launch inside a job waits for a runner that is about to open its door', async () => {
    const node = await openNode(kind)
    node.runner.child.kill('SIGTERM')
    await node.runner.ended
    const early = node.start(['echo', 'lent'], { HEADRACE_GRANT: '1.1-job-1' })
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(early.hasEnded()).toBe(false)
    await node.restart()
    // The runner that came is another one, which has no such job: what matters is who answers.
    const { stdout, stderr } = await early.ended
    expect(stdout + stderr).not.toContain('no runner answers')
  })

  test('who waits when the runner ends in order is sent away with 125', async () => {
    const node = await openNode(kind, { cpus: 1 })
    node.start(['sleep', '100'])
    await node.waitForStatus('one runs', ({ holding }) => holding.length === 1)
    const waiter = node.start(['true'])
    await node.waitForStatus('one waits', ({ waiting }) => waiting.length === 1)
    node.runner.child.kill('SIGTERM')
    expect(await waiter.ended).toMatchObject({ code: 125 })
  })

  test('a second runner of the user is refused at the same place', async () => {
    const node = await openNode(kind)
    const second = await node.site.run(['node', '--output-dir', 'other'], node.env)
    expect(second).toMatchObject({
      code: 3,
      stderr: `Cannot lend this node at ${node.socket}: another runner answers there\n`,
    })
    expect(await node.run(['true'])).toMatchObject({ code: 0 })
  })
})

/** Launches again and again until the node lends once more. */
async function waitForLaunch(node: LentNode): Promise<void> {
  const startedAt = performance.now()
  for (let ended = await node.run(['true']); ended.code !== 0; ended = await node.run(['true']))
    if (performance.now() - startedAt > 15_000) throw new Error(`No launch works any more: ${ended.stderr}`)
}

describe('the gate', () => {
  const native = skipUnless(hasNative, 'no C compiler: the gate of local launches')

  native('2,000 clients at once are all served', { timeout: 110_000 }, async () => {
    const node = await openNode('native', { cpus: 32 })
    const script = `for i in $(seq 2000); do ${clientPath('native')} sh -c 'echo done' & done; wait`
    const ended = await startProgram(node.site, '/bin/sh', ['-c', script], node.env).ended
    expect(ended.stderr).toBe('')
    expect(ended.stdout.split('\n').filter(line => line === 'done')).toHaveLength(2000)
    await node.waitForStatus('all is free', ({ free, holding }) => free.cpus === 32 && holding.length === 0)
  })

  native('malformed lines are answered or cut off, and hurt nobody else', async () => {
    const node = await openNode('native')
    const held = node.start(['-c', '2', 'sleep', '100'])
    await node.waitForStatus('one runs', ({ holding }) => holding.length === 1)
    const junk = [
      'hello\n',
      'ask\n',
      'ask 1 0 0 0 - - true\n',
      'ask 1 -1 0 0 - - true\n',
      'ask 1 99999999999999999999 0 0 - - true\n',
      'ask 2 1 0 0 - - true\n',
      'adopt 1 x.y 0 - 0 1 1 - - true\n',
      'end 0 0 0 0 0 0\n',
      'end x\n',
      'gone 1\n',
      'started 1\n',
      '\n\n\n',
      'ask 1 1 0 0 - - nul\0byte\n',
      `ask 1 1 0 0 - - ${'x'.repeat(100_000)}`,
      `${'\xff\xfe'.repeat(500)}\n`,
      'ask 1 1 0 0 - - twice\nask 1 1 0 0 - - twice\n',
    ]
    for (const text of junk) await sendRaw(node.socket, text)
    const { holding, waiting, free } = await node.waitForStatus('only one runs', seen => seen.holding.length === 1)
    expect({ holding: holding.length, waiting: waiting.length, free: free.cpus }).toEqual({
      holding: 1,
      waiting: 0,
      free: 6,
    })
    expect(await node.run(['sh', '-c', 'exit 9'])).toMatchObject({ code: 9 })
    held.child.kill('SIGTERM')
    expect(await held.ended).toMatchObject({ code: 143 })
  })

  native('a gate that is killed is replaced, and what runs is counted again', async () => {
    const node = await openNode('native')
    const client = node.start(['-c', '3', 'sh', '-c', 'echo run; sleep 3; exit 5'])
    await waitUntil(
      'the command runs',
      () => client.output.stdout,
      seen => seen === 'run\n',
    )
    const gate = Number(
      readFileSync(`/proc/${node.runner.pid}/task/${node.runner.pid}/children`, 'utf8').trim().split(' ')[0],
    )
    process.kill(gate, 'SIGKILL')
    await waitForLaunch(node)
    await node.waitForStatus('its cores are counted', ({ free }) => free.cpus === 5)
    expect(await client.ended).toMatchObject({ code: 5 })
    await node.waitForStatus('all is free', ({ free }) => free.cpus === 8)
  })

  const asRoot = skipUnless(hasNative && isRoot, 'not root: another uid at the gate of local launches')

  asRoot('S90 another uid is refused, even where it may open the socket', async () => {
    const node = await openNode('native')
    expect(statSync(dirname(node.socket)).mode & 0o777).toBe(0o700)
    expect(statSync(node.socket).mode & 0o777).toBe(0o600)
    for (const path of [node.site.directory, dirname(node.socket), node.socket]) chmodSync(path, 0o777)
    const script = `const s = require('net').connect(${JSON.stringify(node.socket)}); s.pipe(process.stdout)`
    const other = spawn(process.execPath, ['-e', script], {
      uid: 65534,
      gid: 65534,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let answer = ''
    other.stdout.on('data', chunk => (answer += chunk))
    await new Promise(resolve => other.once('close', resolve))
    expect(answer).toBe('refuse 125 Cannot launch as this runner belongs to another user\n')
    expect((await node.status()).launches).toBe(0)
  })

  asRoot('a directory in /tmp that somebody else made is not trusted', async () => {
    const node = await openNode('native')
    const squatted = join(tmpdir(), `headrace-squat-${process.pid}`)
    mkdirSync(join(squatted, 'headrace'), { recursive: true })
    afterTest(() => rmSync(squatted, { recursive: true, force: true }))
    execFileSync('chown', ['65534', join(squatted, 'headrace')])
    const ended = await node.site.run(['node'], { HEADRACE_NODE_SOCKET: undefined, XDG_RUNTIME_DIR: squatted })
    expect(ended).toMatchObject({ code: 3, stderr: expect.stringContaining('not this user’s own directory') })
  })
})

/** Sends bytes to the socket, waits a moment for an answer or the end, and goes away. */
function sendRaw(path: string, text: string): Promise<void> {
  return new Promise(resolve => {
    const socket = connect(path, () => socket.write(text, 'latin1'))
    socket.on('error', () => {})
    socket.on('data', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    socket.on('close', () => resolve())
    setTimeout(() => socket.destroy(), 100)
  })
}
