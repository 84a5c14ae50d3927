import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { skipUnless } from '../helpers/skip.ts'
import { waitUntil } from '../launcher/harness.ts'
import { BUNDLE, openProgram, type Program } from './program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

const write = (name: string, text: string) => writeFileSync(join(program.directory, name), text)
const read = (name: string) => readFileSync(join(program.directory, name), 'utf8')
const parallel = (...words: string[]) => program.run(['parallel', ...words])

/** Columns of a job log, from 0, without its head. */
const logColumns = (name: string, ...columns: number[]) =>
  read(name)
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line => columns.map(column => line.split('\t')[column]).join(' '))

describe('runner parallel', () => {
  test('runs a command for each value, and leaves nothing behind', async () => {
    const temporary = join(program.directory, 'tmp')
    mkdirSync(temporary)
    const { code, stdout, stderr } = await program.run(['parallel', '-k', 'echo hi {} {#}', ':::', 'a b', "it's"], {
      TMPDIR: temporary,
    })
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "hi a b 1\nhi it's 2\n", stderr: '' })
    expect(readdirSync(temporary)).toEqual([])
    expect(readdirSync(program.directory)).toEqual(['tmp'])
  })

  test('takes values from files and from standard input, and commands where there is none', async () => {
    write('cases', 'x\ny\n')
    expect((await parallel('-k', 'echo', ':::', '1', '2', '::::', 'cases')).stdout).toBe('1 x\n1 y\n2 x\n2 y\n')
    expect((await program.run(['parallel', '-k', 'echo {}'], {}, 'p q\nr\n')).stdout).toBe('p q\nr\n')
    expect((await program.run(['parallel', '-k', '-0', 'echo {}'], {}, 'p\0r\0')).stdout).toBe('p\nr\n')
    expect((await parallel('-k', ':::', 'echo one | tr o 0', 'echo two')).stdout).toBe('0ne\ntwo\n')
    expect((await program.run(['parallel', '-k', '--colsep', ',', 'echo {2} {1}'], {}, 'a,b\n')).stdout).toBe('b a\n')
  })

  test('runs the lines of a launcher file, which know their number', async () => {
    write('commands', '# all of them\necho $LAUNCHER_JID of $LAUNCHER_NJOBS\n\necho last # comment\n')
    expect(await parallel('-k', '--commands', 'commands')).toMatchObject({ code: 0, stdout: '1 of 2\nlast\n' })
    expect((await parallel('-k', '-C', 'commands')).stdout).toBe('1 of 2\nlast\n')
    expect((await parallel('-C', 'commands', 'echo')).code).toBe(2)
  })

  test('gives every job that runs a slot of its own', async () => {
    const { stdout } = await parallel('-j2', 'echo {%} $PARALLEL_SEQ; sleep 0.2', ':::', ...'abcdef')
    const lines = stdout.trimEnd().split('\n')
    expect(new Set(lines.map(line => line.split(' ')[0]))).toEqual(new Set(['1', '2']))
    expect(lines.map(line => line.split(' ')[1]).sort()).toEqual([...'123456'])
  })

  test('tags lines and keeps streams apart', async () => {
    const { stdout, stderr } = await parallel('--tag', 'echo out; echo err >&2 # {}', ':::', 'v')
    expect([stdout, stderr]).toEqual(['v\tout\n', 'v\terr\n'])
  })

  test('ends with the number of failures, and 101 beyond 100', async () => {
    expect((await parallel('exit {}', ':::', '0', '3', '5')).code).toBe(2)
    expect((await parallel('-j', '50', 'exit 1 # {1}{2}', ':::', ...'abcdefghijk', ':::', ...'0123456789')).code).toBe(
      101,
    )
  })

  test('stops as --halt says, with the end of the job that made it stop', async () => {
    expect((await parallel('-j1', '--halt', 'now,fail=1', 'echo {}; exit {}', ':::', '0', '3', '0')).code).toBe(3)
    const now = await parallel(
      '-j2',
      '--halt',
      'now,fail=1',
      '--joblog',
      'log',
      'sleep {}; exit 4',
      ':::',
      '0.1',
      '60',
      '60',
    )
    expect(now.code).toBe(4)
    expect(now.stderr).toContain('Job 1 failed: sleep 0.1; exit 4\n')
    expect(logColumns('log', 0)).toEqual(['1'])
    expect(await parallel('-j1', '--halt', 'soon,success=1', 'echo {}', ':::', 'a', 'b', 'c')).toMatchObject({
      code: 0,
      stdout: 'a\n',
    })
  })

  test('starts nothing between the job that makes it stop and the stop', async () => {
    const jobs = ['echo {}; exit {}', ':::', ...'00300000']
    for (const when of ['now', 'soon']) {
      expect(await parallel('-j1', '--halt', `${when},fail=1`, ...jobs)).toMatchObject({ code: 3, stdout: '0\n0\n3\n' })
    }
  })

  test('gives every N values to one command', async () => {
    expect((await parallel('-k', '-n2', 'echo {} - {2}', ':::', ...'abc')).stdout).toBe('a b - b\nc -\n')
    expect((await program.run(['parallel', '-k', '-d,', 'echo'], {}, 'a,b')).stdout).toBe('a\nb\n')
    expect((await program.run(['parallel', '-k', '--no-run-if-empty', 'echo'], {}, 'a\n\nb\n')).stdout).toBe('a\nb\n')
  })

  test('ends jobs at --timeout and logs it as GNU parallel does', async () => {
    expect((await parallel('--timeout', '1', '--joblog', 'log', 'sleep {}', ':::', '30', '0')).code).toBe(1)
    expect(logColumns('log', 0, 6, 7).sort()).toEqual(['1 -1 15', '2 0 0'])
  })

  test('tries a job that fails again up to --retries times in all, and logs its last end', async () => {
    const command = 'echo try >> tries.{}; test $(wc -l < tries.{}) -ge {}'
    const { code } = await parallel('--retries', '3', '--joblog', 'log', command, ':::', '1', '3', '9')
    expect(code).toBe(1)
    expect(['1', '3', '9'].map(value => read(`tries.${value}`).split('\n').length - 1)).toEqual([1, 3, 3])
    expect(logColumns('log', 0, 6).sort()).toEqual(['1 0', '2 0', '3 1'])
  })

  test('goes on by the job log', async () => {
    const command = 'echo ran {}; test -e ok || exit {}'
    const values = [':::', '0', '1', '2']
    expect((await parallel('-k', '-j1', '--joblog', 'log', command, ...values)).code).toBe(2)
    expect(await parallel('--joblog', 'log', '--resume', command, ...values)).toMatchObject({ code: 0, stdout: '' })
    write('ok', '')
    expect(await parallel('-k', '-j1', '--joblog', 'log', '--resume-failed', command, ...values, '3')).toMatchObject({
      code: 0,
      stdout: 'ran 1\nran 2\nran 3\n',
    })
    expect(logColumns('log', 0, 6)).toEqual(['1 0', '2 1', '3 2', '2 0', '3 0', '4 0'])
  })

  test('goes on where an interrupt stopped it', async () => {
    const command = ['parallel', '-j1', '--joblog', 'log', 'echo {}; sleep {}', ':::', '0', '0.5', '0', '0']
    const child = program.start(command)
    let printed = ''
    child.stdout!.on('data', chunk => {
      printed += chunk
    })
    await waitUntil(
      'the first job has ended',
      () => printed,
      text => text === '0\n',
    )
    child.kill('SIGINT')
    await waitUntil(
      'the run has ended',
      () => child.exitCode,
      code => code !== null,
    )
    expect(child.exitCode).toBeGreaterThan(0)
    const { code, stdout } = await program.run([...command.slice(0, 4), '--resume', ...command.slice(4)])
    expect(code).toBe(0)
    expect(
      `${printed}${stdout}`
        .split('\n')
        .filter(line => line !== '')
        .sort(),
    ).toEqual(['0', '0', '0', '0.5'])
    expect(logColumns('log', 0).sort()).toEqual(['1', '2', '3', '4'])
  })

  test('prints after a kill what had ended and waited for its turn', async () => {
    const waits = 'test {} = b || until test -e go; do sleep 0.05; done; echo {}; touch ended.{}'
    const command = ['parallel', '-k', '-j2', '--joblog', 'log', waits, ':::', 'a', 'b']
    // What a killed run leaves there goes with the test.
    const child = program.start(command, { TMPDIR: program.directory })
    await waitUntil(
      'the second job has ended',
      () => readdirSync(program.directory),
      names => names.includes('ended.b'),
    )
    child.kill('SIGKILL')
    write('go', '')
    const { stdout } = await program.run([...command.slice(0, 5), '--resume', ...command.slice(5)])
    expect(stdout).toBe('a\nb\n')
  })

  test('runs within its own jobs, each by itself', async () => {
    write('inner', `exec ${process.execPath} ${BUNDLE} parallel -k echo {} ::: "$1"1 "$1"2`)
    expect(await parallel('-k', 'sh inner {}', ':::', 'a', 'b')).toMatchObject({ code: 0, stdout: 'a1\na2\nb1\nb2\n' })
  })

  test('prints large output whole', async () => {
    const { stdout } = await parallel('head -c 3000000 /dev/zero | tr "\\0" {}', ':::', 'a', 'b')
    expect([stdout.length, stdout.replaceAll('a', '').length]).toEqual([6_000_000, 3_000_000])
  })

  test('shows progress on standard error with --bar only', async () => {
    for (const name of ['--bar', '--eta'])
      expect((await parallel('--will-cite', name, 'true', ':::', 'a', 'b')).stderr).toContain('2 of 2 jobs done (100%)')
  })

  test('keeps database and logs where --output-dir says', async () => {
    expect((await parallel('--output-dir', 'kept', 'echo', ':::', 'a')).code).toBe(0)
    expect(existsSync(join(program.directory, 'kept', 'headrace.db'))).toBe(true)
    const { stdout } = await program.run(['status', '--output-dir', 'kept', '--format', 'json'])
    expect(JSON.parse(stdout).jobs_by_status.completed).toBe(1)
  })

  test('prints commands with --dry-run and runs nothing', async () => {
    const { code, stdout } = await parallel('--dry-run', 'touch {} {%}', ':::', 'x y', 'z')
    expect([code, stdout]).toEqual([0, "touch 'x y' 1\ntouch z 1\n"])
    expect(readdirSync(program.directory)).toEqual([])
  })

  test.each([
    [['--keep-ordr', 'echo', ':::', 'a'], 'did you mean --keep-order?'],
    [['--pipe', 'wc', ':::', 'a'], 'Cannot use the option --pipe as it is unknown'],
    [['--resume', 'echo', ':::', 'a'], 'Cannot resume without --joblog'],
    [['--halt', 'never,ever', 'echo', ':::', 'a'], 'Cannot read --halt'],
    [['--retries', '0', 'echo', ':::', 'a'], 'Cannot read --retries'],
    [['--delimiter', '', 'echo', ':::', 'a'], 'Cannot read --delimiter'],
    [['--max-args', 'x', 'echo', ':::', 'a'], 'Cannot read --max-args'],
    [['echo', '{= uc =}', ':::', 'a'], 'Cannot replace {= uc =}'],
    [['--colsep', '(', 'echo', ':::', 'a'], 'Cannot read --colsep'],
    [['echo', ':::', 'a', '::::', '-', '::::', '-'], 'Cannot read standard input twice'],
  ])('%j is a usage error', async (words, message) => {
    const { code, stderr } = await parallel(...words)
    expect(code).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('says which file it cannot read', async () => {
    expect(await parallel('echo', '::::', 'none')).toMatchObject({
      code: 2,
      stderr: 'Cannot read none: there is no such file\n',
    })
  })
})

const hasGnu = spawnSync('parallel', ['--version'], { encoding: 'utf8' }).stdout?.startsWith('GNU parallel') ?? false

describe('runner parallel beside GNU parallel', () => {
  const gnu = (...words: string[]) =>
    spawnSync('parallel', ['--will-cite', ...words], {
      cwd: program.directory,
      encoding: 'utf8',
      env: { ...process.env, HOME: program.directory },
    })

  const lines = [
    ['echo {} {.} {/} {//} {/.} {#}', ':::', 'a b/c.tar.gz', "it's", 'x', '/y', 'd/e/'],
    ['echo {2} {1/.}', ':::', 'x/a.c', 'b', ':::', '1', '2'],
    ['echo', ':::', 'a', 'b', ':::+', '1', '2', '3', ':::', 'u', 'v'],
    ['--link', 'echo', ':::', 'a', 'b', 'c', ':::', '1', '2'],
    ['--tag', 'echo hi; echo {}', '::::', 'in'],
    ['-a', 'in', 'echo', '{}'],
    ['-q', 'echo', '{}  x', ':::', 'a'],
    ['-N2', '-P2', 'echo', '{1}-{2}', ':::', ...'abcde'],
    ['--max-args', '2', 'echo', ':::', 'a', 'b c', 'd'],
    ['echo', '{-1}', '{-2/.}', ':::', 'x/a.c', ':::', 'b'],
    ['--colsep', ' ', 'echo', '{2}-{1}', '::::', 'in'],
    ['-d', 'q', 'echo', '::::', 'in'],
    ['--halt', 'soon,fail=2', '-j1', 'exit {}', ':::', '5', '0', '6', '7'],
    ['--halt', 'soon,fail=50%', '-j1', 'exit {}', ':::', '5', '0', '6', '7'],
    ['--halt', 'soon,fail=90%', '-j1', 'exit {}', ':::', '5', '0', '0', '0', '0', '0', '0', '0'],
    ['--halt', 'now,fail=20%', '-j1', 'exit {}', ':::', '0', '7', '0', '0', '0'],
    [':::', 'echo a | tr a b'],
  ].map(words => ({ words, line: words.join(' ') }))

  skipUnless(hasGnu, 'GNU parallel is not installed: its output is not compared').each(lines)(
    'prints the same for: $line',
    async ({ words }) => {
      write('in', 'p q\nr\n')
      const { stdout, status } = gnu('-k', ...words)
      expect(await parallel('-k', ...words)).toMatchObject({ stdout, code: status })
    },
  )

  skipUnless(hasGnu, 'GNU parallel is not installed: its job log is not compared')(
    'goes on by its job log, and it by ours',
    async () => {
      const command = ['echo ran {}; test -e ok || exit {}', ':::', '0', '1', '2']
      gnu('-j1', '--joblog', 'theirs', ...command)
      await parallel('-j1', '--joblog', 'ours', ...command)
      expect(logColumns('ours', 0, 1, 4, 5, 6, 7, 8)).toEqual(logColumns('theirs', 0, 1, 4, 5, 6, 7, 8))
      write('ok', '')
      expect((await parallel('-j1', '--joblog', 'theirs', '--resume-failed', ...command)).stdout).toBe('ran 1\nran 2\n')
      expect(gnu('-j1', '--joblog', 'ours', '--resume-failed', ...command).stdout).toBe('ran 1\nran 2\n')
      expect(logColumns('ours', 0, 6)).toEqual(logColumns('theirs', 0, 6))
    },
  )
})
