import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { waitUntil } from '../launcher/harness.ts'
import { clientPath, kinds, openNode, startProgram } from './node.ts'

describe.each(kinds)('hr-exec, %s', kind => {
  test('S81 true ends with 0, false with 1, killed by 9 with 137, missing with 127, not executable with 126', async () => {
    const node = await openNode(kind)
    writeFileSync(node.site.path('no-program'), '')
    expect(await node.run(['true'])).toEqual({ code: 0, signal: null, stdout: '', stderr: '' })
    expect(await node.run(['-n', '1', 'false'])).toMatchObject({ code: 1, stderr: '' })
    expect(await node.run(['sh', '-c', 'kill -9 $$'])).toMatchObject({ code: 137 })
    expect(await node.run(['./missing'])).toMatchObject({
      code: 127,
      stderr: expect.stringMatching(/not found|No such/),
    })
    expect(await node.run(['./no-program'])).toMatchObject({ code: 126, stderr: expect.stringMatching(/denied/i) })
  })

  test('S82 both streams come separate, in order and while the command runs', async () => {
    const node = await openNode(kind)
    const script = 'echo one; echo two >&2; read -r line <go; echo $line; echo four >&2'
    await node.run(['mkfifo', 'go'])
    const running = node.start(['sh', '-c', script])
    await waitUntil(
      'the first lines are there',
      () => running.output,
      seen => seen.stdout === 'one\n' && seen.stderr === 'two\n',
    )
    writeFileSync(node.site.path('go'), 'three\n')
    expect(await running.ended).toMatchObject({ code: 0, stdout: 'one\nthree\n', stderr: 'two\nfour\n' })
  })

  test('S90 -np 4 with ranks that end with 0, 0, 3, 0 ends with 3, and every rank knows its place', async () => {
    const node = await openNode(kind)
    const script = 'echo $RANK/$SIZE $LOCAL_RANK/$LOCAL_SIZE $WORLD_SIZE $HEADRACE_CORES; [ $RANK != 2 ] || exit 3'
    const ended = await node.run(['-np', '4', '--keep-going', '-c', '2', 'sh', '-c', script])
    expect(ended).toMatchObject({ code: 3, stderr: '' })
    expect(ended.stdout.split('\n').sort()).toEqual(
      ['', '0/4 0/4 4 0,1', '1/4 1/4 4 2,3', '2/4 2/4 4 4,5', '3/4 3/4 4 6,7'].sort(),
    )
  })

  test('the first task that fails ends the others, whose end does not count', async () => {
    const node = await openNode(kind)
    const ended = await node.run(['-np', '3', 'sh', '-c', '[ $RANK = 1 ] && exit 3; exec sleep 100'])
    expect(ended).toMatchObject({ code: 3, stdout: '' })
  })

  test('--keep-going lets the other tasks end by themselves; the highest exit code wins', async () => {
    const node = await openNode(kind)
    const script = '[ $RANK = 0 ] && exit 3; read -r line <go$RANK; echo $line; exit $RANK'
    await node.run(['mkfifo', 'go1', 'go2'])
    const running = node.start(['-np', '3', '--keep-going', 'sh', '-c', script])
    writeFileSync(node.site.path('go1'), 'one\n')
    writeFileSync(node.site.path('go2'), 'two\n')
    const { code, stdout } = await running.ended
    expect({ code, lines: stdout.split('\n').sort() }).toEqual({ code: 3, lines: ['', 'one', 'two'] })
  })

  test('-l puts the rank in front of every line of both streams', async () => {
    const node = await openNode(kind)
    const ended = await node.run(['-np', '2', '-l', 'sh', '-c', 'echo a; echo b >&2; printf "c"'])
    expect(ended.stdout.split('\n').sort()).toEqual(['', '[0] a', '[0] c', '[1] a', '[1] c'])
    expect(ended.stderr.split('\n').sort()).toEqual(['', '[0] b', '[1] b'])
  })

  test('the first task has our input, the others none', async () => {
    const node = await openNode(kind)
    writeFileSync(node.site.path('input'), 'a line\n')
    const words = [node.site.path('run.sh')]
    writeFileSync(words[0]!, '#!/bin/sh\nread -r line\necho $RANK:$line\n')
    chmodSync(words[0]!, 0o755)
    const shell = `exec ${clientPath(kind)} -np 2 ./run.sh <input`
    const { stdout } = await startProgram(node.site, '/bin/sh', ['-c', shell], node.env).ended
    expect(stdout.split('\n').sort()).toEqual(['', '0:a line', '1:'])
  })

  test('--timeout ends the tasks with 124', async () => {
    const node = await openNode(kind)
    expect(await node.run(['--timeout', '0.2', 'sleep', '100'])).toMatchObject({ code: 124 })
    expect(await node.run(['--timeout=1m', 'sh', '-c', 'exit 4'])).toMatchObject({ code: 4 })
  })

  test('-wdir, -env and -genv set where and with what a program runs; several programs share one launch', async () => {
    const node = await openNode(kind)
    await node.run(['mkdir', 'below'])
    const words = [
      '-genv',
      'ALL',
      'x y',
      '-env',
      'ONE',
      '$1',
      '-wdir',
      'below',
      'sh',
      '-c',
      'echo "$ALL $ONE $(basename $PWD) $RANK"',
    ]
    const ended = await node.run([
      ...words,
      ':',
      '-n',
      '2',
      '-c',
      '2',
      'sh',
      '-c',
      'echo "$ALL [$ONE] $RANK $SIZE $HEADRACE_CORES"',
    ])
    expect(ended.stdout.split('\n').sort()).toEqual(['', 'x y $1 below 0', 'x y [] 1 3 1,2', 'x y [] 2 3 3,4'])
  })

  test('-outfile-pattern and -errfile-pattern send each rank to a file of its own', async () => {
    const node = await openNode(kind)
    const words = [
      '-np',
      '2',
      '-outfile-pattern',
      'out-%r-%%',
      '-errfile-pattern',
      'err',
      'sh',
      '-c',
      'echo o$RANK; echo e >&2',
    ]
    expect(await node.run(words)).toMatchObject({ code: 0, stdout: '', stderr: '' })
    const read = (name: string) => readFileSync(node.site.path(name), 'utf8')
    expect([read('out-0-%'), read('out-1-%'), read('err')]).toEqual(['o0\n', 'o1\n', 'e\ne\n'])
  })

  test('--gpus names the devices that were lent; a third launch waits for one of two', async () => {
    const node = await openNode(kind, { gpus: 2 })
    const script = 'echo $CUDA_VISIBLE_DEVICES $ROCR_VISIBLE_DEVICES; read -r line <go; echo $line'
    await node.run(['mkfifo', 'go'])
    const two = [1, 2].map(() => node.start(['--gpus', '1', 'sh', '-c', script]))
    await waitUntil(
      'both have a device',
      () => two.map(({ output }) => output.stdout).sort(),
      seen => seen.join('') === '0 0\n1 1\n',
    )
    const third = node.start(['--gpus', '1', 'true'])
    const status = await node.waitForStatus('the third waits', ({ waiting }) => waiting.length === 1)
    expect(status.free).toMatchObject({ gpus: 0, cpus: 6 })
    for (const _ of two) node.start(['sh', '-c', 'echo done >go'])
    expect(await third.ended).toMatchObject({ code: 0 })
  })

  test('unknown options and impossible values end with 2 and one line', async () => {
    const node = await openNode(kind)
    const lines: [string[], string][] = [
      [['--tiemout', '3', 'true'], 'Cannot use the option --tiemout as it is unknown: did you mean --timeout?'],
      [['-nn', '3', 'true'], 'Cannot use the option -nn as it is unknown: did you mean -n?'],
      [['--zzzzzzzz', 'true'], 'Cannot use the option --zzzzzzzz as it is unknown: hr-exec --help lists the options'],
      [['-n', '0', 'true'], 'Cannot read -n as it must be a whole number from 1 to 100000: current value is 0'],
      [['-c', 'x', 'true'], 'Cannot read -c as it must be a whole number from 1 to 100000: current value is x'],
      [
        ['--mem', '5q', 'true'],
        'Cannot read --mem as it must be an amount of memory like 512m or 2g: current value is 5q',
      ],
      [['--timeout', '1x', 'true'], 'Cannot read --timeout as it must be a time like 90 or 1h30m: current value is 1x'],
      [['--bind-to', 'socket', 'true'], 'Cannot read --bind-to as it must be core or none: current value is socket'],
      [['--record-to', 'x', 'true'], 'Cannot read --record-to as it must be the id of a workflow: current value is x'],
      [['-env', 'A'], 'Cannot use -env without a name and a value'],
      [['-n'], 'Cannot use -n without a value'],
      [['-n', '2'], 'Cannot launch without a program: hr-exec --help shows an example'],
      [[], 'Cannot launch without a program: hr-exec --help shows an example'],
    ]
    for (const [words, line] of lines)
      expect(await node.run(words), words.join(' ')).toEqual({ code: 2, signal: null, stdout: '', stderr: `${line}\n` })
  })

  test('options end at the program or at --, so that its own words are its own', async () => {
    const node = await openNode(kind)
    expect(await node.run(['echo', '-n', '--tiemout', 'a  b'])).toMatchObject({ stdout: '--tiemout a  b' })
    expect(await node.run(['--', 'echo', '*', "it's", '$HOME'])).toMatchObject({ stdout: "* it's $HOME\n" })
    expect(await node.run(['true', 'x'])).toMatchObject({ code: 0 })
  })

  test('--help shows every option', async () => {
    const node = await openNode(kind)
    const { code, stdout } = await node.run(['--help'])
    expect(code).toBe(0)
    for (const name of [
      '-np',
      '-c',
      '--gpus',
      '--mem',
      '-l',
      '--timeout',
      '-wdir',
      '-env',
      '-genv',
      '-outfile-pattern',
      '--bind-to',
      '--map-by',
    ])
      expect(stdout).toContain(name)
  })

  test('a launch leaves nothing running when its command has ended', async () => {
    const node = await openNode(kind)
    const { stdout } = await node.run(['sh', '-c', 'sleep 100 >/dev/null 2>&1 & echo $!'])
    const pid = Number(stdout)
    await waitUntil(
      'the child is gone',
      () => isAlive(pid),
      alive => !alive,
    )
  })

  test('a launch inside a launch uses the cores of that one', async () => {
    const node = await openNode(kind)
    const client = clientPath(kind)
    const inner = await node.run(['-c', '8', client, '-np', '2', '-c', '2', 'sh', '-c', 'echo $HEADRACE_CORES'])
    expect({ ...inner, stdout: inner.stdout.split('\n').sort() }).toMatchObject({ code: 0, stdout: ['', '0,1', '2,3'] })
    expect(await node.run(['-c', '2', client, '-c', '3', 'true'])).toMatchObject({
      code: 125,
      stderr: 'Cannot launch as the launch or job around it has 2 cores: wanted are 3\n',
    })
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ')
  } catch {
    return false
  }
}
