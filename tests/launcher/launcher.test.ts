import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseCpuList } from '../../runner/capacity/cores.ts'
import { readJournal } from '../../runner/launcher/journal.ts'
import { isGone, jobFixture, kinds, openSite, readText, waitUntil } from './harness.ts'

const bash = (script: string, ...args: string[]) => ['bash', '-c', script, 'bash', ...args] as const
/** With a folder that the user may not enter, exec says EACCES of a program that is nowhere. */
const READABLE_PATH = { PATH: '/usr/bin:/bin' }
const awkward = 'a b\n"c" \'d\' $(e) `f` \\ * ; & ü \u{1F600} -'

describe.each(kinds)('Launcher.launch() of kind %s', kind => {
  test.each([0, 1, 3, 126, 127, 128])('reports exit code %i', async code => {
    const site = await openSite(kind)
    const exit = await site.run({ argv: bash(`exit ${code}`) })
    expect(exit).toMatchObject({ code, strays: 0 })
    expect(exit.signal).toBeUndefined()
    expect(exit.error).toBeUndefined()
  })

  test("reports bash's own 126 and 127 as exit codes, not as failed starts", async () => {
    const site = await openSite(kind)
    expect(await site.run({ argv: bash('/no/such/program') })).toMatchObject({ code: 127 })
    expect(await site.run({ argv: bash('/etc/passwd') })).toMatchObject({ code: 126 })
  })

  test.each([9, 15])('reports the end by signal %i', async signal => {
    const site = await openSite(kind)
    const exit = await site.run({ argv: bash(`kill -${signal} $$; sleep 10`) })
    expect(exit).toMatchObject({ signal })
    expect(exit.code).toBeUndefined()
  })

  test('reports a start with the pid that the program sees, and moments in order', async () => {
    const site = await openSite(kind)
    const before = Date.now()
    const out = join(site.directory, 'out')
    const exit = await site.run({ argv: bash('echo $$; sleep 0.05'), stdout: out })
    const start = await site.startOf(exit.tag)
    expect(readText(out)).toBe(`${start.pid}\n`)
    expect(start.startedAtMs).toBe(exit.startedAtMs)
    expect(exit.startedAtMs).toBeGreaterThanOrEqual(before - 1)
    expect(exit.exitedAtMs - exit.startedAtMs).toBeGreaterThanOrEqual(50)
  })

  test.each([
    ['a program that is not there', 'ENOENT', 'exec', { argv: ['no-such-program'], env: READABLE_PATH }],
    ['a path that is not there', 'ENOENT', 'exec', { argv: ['/no/such/program'] }],
    ['a program that is not executable', 'EACCES', 'exec', { argv: ['/etc/passwd'] }],
    ['a directory as program', 'EACCES', 'exec', { argv: ['/etc'] }],
    ['a working directory that is not there', 'ENOENT', 'cwd', { cwd: '/no/such/directory' }],
    ['a working directory that is a file', 'ENOTDIR', 'cwd', { cwd: '/etc/passwd' }],
    ['an output in no directory', 'ENOENT', 'stdout', { stdout: '/no/such/directory/out' }],
    ['an output that is a directory', 'EISDIR', 'stdout', { stdout: '/etc' }],
    ['an error output in a file', 'ENOTDIR', 'stderr', { stderr: '/etc/passwd/err' }],
    ['arguments with NUL', 'EINVAL', 'request', { argv: ['echo', 'a\0b'] }],
    ['a variable without a name', 'EINVAL', 'request', { env: { '': 'x' } }],
    ['a text longer than exec takes', 'E2BIG', 'exec', { argv: ['echo', 'x'.repeat(200_000)] }],
    ['a list longer than exec takes', 'E2BIG', 'exec', { argv: ['echo', ...Array<string>(2_000_000).fill('x')] }],
  ] as const)('answers %s with %s', async (_, error, failedStep, request) => {
    const site = await openSite(kind)
    const exit = await site.run(request as object)
    expect(exit).toMatchObject({ error, failedStep, strays: 0 })
    expect(exit.code).toBeUndefined()
    expect(site.started).toEqual([])
    expect(await site.run({ argv: ['true'] })).toMatchObject({ code: 0 })
  })

  test('writes both outputs straight to their files, and truncates what was there', async () => {
    const site = await openSite(kind)
    const [stdout, stderr] = [join(site.directory, 'out'), join(site.directory, 'err')]
    writeFileSync(stdout, 'old\n'.repeat(100))
    writeFileSync(stderr, 'old\n'.repeat(100))
    await site.run({ argv: bash('echo to out; echo to err >&2'), stdout, stderr })
    expect(readText(stdout)).toBe('to out\n')
    expect(readText(stderr)).toBe('to err\n')
  })

  test('writes combined outputs through one open file, in order', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    await site.run({ argv: bash('echo 1; echo 2 >&2; echo 3; echo 4 >&2'), stdout, stderr: 'stdout' })
    expect(readText(stdout)).toBe('1\n2\n3\n4\n')
  })

  test('gives /dev/null where no output is wanted, and as input', async () => {
    const site = await openSite(kind)
    const stderr = join(site.directory, 'err')
    const argv = bash('readlink /proc/self/fd/0 /proc/$$/fd/1 >&2; cat | wc -c >&2')
    await site.run({ argv, stderr })
    expect(readText(stderr)).toBe('/dev/null\n/dev/null\n0\n')
  })

  test('leaks no descriptor into the job', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    await site.run({ argv: ['bash', '-c', `. ${jobFixture('list-descriptors.sh')}`], stdout, stderr: 'stdout' })
    expect(readText(stdout).trim().split('\n')).toEqual(['0 /dev/null', `1 ${stdout}`, `2 ${stdout}`])
  })

  test('puts the overlay over its own environment and takes away what is null', async () => {
    process.env.HEADRACE_TEST_KEPT = 'kept'
    process.env.HEADRACE_TEST_CHANGED = 'old'
    process.env.HEADRACE_TEST_REMOVED = 'there'
    onTestFinished(() => {
      for (const what of ['KEPT', 'CHANGED', 'REMOVED']) delete process.env[`HEADRACE_TEST_${what}`]
    })
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    const list = ['bash', '-c', 'env | grep ^HEADRACE_TEST_ | sort'] as const
    const env = { HEADRACE_TEST_CHANGED: 'new', HEADRACE_TEST_ADDED: 'added', HEADRACE_TEST_REMOVED: null }
    await site.run({ argv: list, env, stdout })
    expect(readText(stdout)).toBe('HEADRACE_TEST_ADDED=added\nHEADRACE_TEST_CHANGED=new\nHEADRACE_TEST_KEPT=kept\n')
    await site.run({ argv: list, env: { HEADRACE_TEST_CHANGED: 'again' }, stdout })
    expect(readText(stdout)).toBe('HEADRACE_TEST_CHANGED=again\nHEADRACE_TEST_KEPT=kept\nHEADRACE_TEST_REMOVED=there\n')
  })

  test('hands on exactly its own environment, but for the mark', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    await site.run({ argv: ['cat', '/proc/self/environ'], stdout })
    const entries = readText(stdout)
      .split('\0')
      .filter(entry => entry !== '')
    const mark = entries.filter(entry => entry.startsWith('HEADRACE_LAUNCH='))
    expect(mark).toEqual([expect.stringMatching(/^HEADRACE_LAUNCH=[0-9a-f]{16}\.0$/)])
    const own = Object.entries(process.env).map(([name, value]) => `${name}=${value}`)
    expect(entries.filter(entry => !mark.includes(entry)).sort()).toEqual(own.sort())
  })

  test('keeps the mark of a launcher around it in front of its own', async () => {
    process.env.HEADRACE_LAUNCH = '0123456789abcdef.7'
    onTestFinished(() => {
      delete process.env.HEADRACE_LAUNCH
    })
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    await site.run({ argv: ['printenv', 'HEADRACE_LAUNCH'], stdout })
    expect(readText(stdout)).toMatch(/^0123456789abcdef\.7 [0-9a-f]{16}\.0\n$/)
  })

  test('looks for the program along the PATH of the job', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    writeFileSync(join(site.directory, 'greet'), '#!/bin/sh\necho hello\n')
    chmodSync(join(site.directory, 'greet'), 0o755)
    const exit = await site.run({ argv: ['greet'], env: { PATH: `${site.directory}:/usr/bin:/bin` }, stdout })
    expect(exit).toMatchObject({ code: 0 })
    expect(readText(stdout)).toBe('hello\n')
  })

  test('takes any text in arguments, variables, paths and labels', async () => {
    const site = await openSite(kind)
    const cwd = join(site.directory, awkward)
    mkdirSync(cwd)
    const stdout = join(cwd, `${awkward}.out`)
    const argv = bash('printf %s "$1"; printf %s "$HEADRACE_TEST"; pwd; printenv "$2"', awkward, 'no-shell.name')
    const exit = await site.run({
      argv,
      env: { HEADRACE_TEST: awkward, 'no-shell.name': awkward },
      cwd,
      stdout,
      label: awkward,
    })
    expect(exit).toMatchObject({ code: 0 })
    expect(readText(stdout)).toBe(`${awkward}${awkward}${cwd}\n${awkward}\n`)
    expect(readJournal(site.journal).launches[0]?.label).toBe(awkward)
  })

  test('takes every byte but NUL in arguments', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    const control = String.fromCharCode(...Array.from({ length: 127 }, (_, index) => index + 1))
    const texts = [control, '', '\u00fe\u00ff\ufffd', '*', ' ', '\n', '']
    await site.run({ argv: bash('printf "%s\\0" "$@"', ...texts), stdout })
    expect(readText(stdout)).toBe(texts.map(text => `${text}\0`).join(''))
  })

  test.each([
    [
      "names of the stand-in's own",
      { fields: 'a', pid: 'b', path: 'c', out: 'd', last_word: 'e', take_bytes: 'f', hidden: 'g' },
    ],
    [
      "names of the stand-in's own that are no lists",
      { pid: 'b', path: 'c', out: 'd', last_word: 'e', program_at: '1', by: 'env' },
    ],
    ['locales', { LC_ALL: 'C.UTF-8', LANG: 'no-such', LC_CTYPE: 'no-such' }],
    ["names that are the shell's", { IFS: 'x', UID: '77', BASH_ENV: '/no/such', 'BASH_FUNC_read%%': '() { exit 9; }' }],
    ['what shells count and remember', { SHLVL: '7', PWD: '/elsewhere', OLDPWD: '/before', _: 'word' }],
    ['none of what shells count and remember', { SHLVL: null, PWD: null, OLDPWD: null, _: null }],
    ['none of what shells remember', { PWD: null, OLDPWD: null, SHLVL: '1', _: 'word' }],
  ])('hands on exactly the environment with %s', async (_, env: Record<string, string | null>) => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    const exit = await site.run({ argv: ['cat', '/proc/self/environ'], env, cwd: '/', stdout })
    expect(exit).toMatchObject({ code: 0 })
    const seen = readText(stdout)
      .split('\0')
      .filter(entry => entry !== '' && !entry.startsWith('HEADRACE_LAUNCH='))
    const wanted = Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== null)
    expect(seen.sort()).toEqual(wanted.map(([name, value]) => `${name}=${value}`).sort())
  })

  test('hands on to each job its own environment and directory, whatever the jobs before it had', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    const jobs: { cwd?: string; env: Record<string, string | null> }[] = [
      { env: { HEADRACE_TEST: 'a', PWD: '/told', OLDPWD: '/told/before' } },
      { env: { HEADRACE_TEST: 'a', PWD: '/told', OLDPWD: '/told/before' }, cwd: '/' },
      { env: { PWD: null, OLDPWD: null, SHLVL: '3', _: 'word' }, cwd: process.cwd() },
      { env: { HEADRACE_TEST: 'b', PWD: '/told', SHLVL: '3', IFS: 'x' }, cwd: '/' },
      { env: { HEADRACE_TEST: 'b', SHLVL: '3', HOME: null } },
      { env: {} },
    ]
    // Each job behind each other one, itself included.
    const order = jobs.flatMap((_, first) => jobs.flatMap((_, second) => [first, second]))
    for (const { cwd, env } of order.map(index => jobs[index]!)) {
      await site.run({
        argv: ['sh', '-c', 'readlink /proc/$$/cwd; cat /proc/$$/environ'],
        env,
        stdout,
        ...(cwd && { cwd }),
      })
      const [directory, ...entries] = readText(stdout).split(/[\n\0]/)
      expect(directory).toBe(cwd ?? process.cwd())
      const seen = entries.filter(entry => entry !== '' && !entry.startsWith('HEADRACE_LAUNCH='))
      const wanted = Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== null)
      expect(seen.sort()).toEqual(wanted.map(([name, value]) => `${name}=${value}`).sort())
    }
  })

  test('starts a script that names no interpreter', async () => {
    const site = await openSite(kind)
    const [script, stdout] = [join(site.directory, 'script'), join(site.directory, 'out')]
    writeFileSync(script, 'echo "$1 $tag $HEADRACE_TEST"; exit 3\n')
    chmodSync(script, 0o755)
    expect(await site.run({ argv: [script, 'one'], env: { HEADRACE_TEST: 'two' }, stdout })).toMatchObject({ code: 3 })
    expect(readText(stdout)).toBe('one  two\n')
  })

  test('looks for a program that is not there again for each job', async () => {
    const site = await openSite(kind)
    for (const _ of [1, 2, 3])
      expect(await site.run({ argv: ['no-such-program'], env: READABLE_PATH })).toMatchObject({
        error: 'ENOENT',
        failedStep: 'exec',
      })
    expect(await site.run({ argv: ['true'] })).toMatchObject({ code: 0 })
  })

  test('starts a program whose name looks like a variable', async () => {
    const site = await openSite(kind)
    const program = join(site.directory, 'a=b')
    writeFileSync(program, '#!/bin/sh\nexit 7\n')
    chmodSync(program, 0o755)
    expect(await site.run({ argv: [program] })).toMatchObject({ code: 7 })
  })

  test('takes command lines and variables of 100 kB', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    const long = 'x'.repeat(100_000)
    await site.run({
      argv: bash('printf %s "$1" | wc -c; printf %s "$HEADRACE_TEST" | wc -c', long),
      env: { HEADRACE_TEST: long },
      stdout,
    })
    expect(readText(stdout)).toBe('100000\n100000\n')
  })

  test('starts jobs in groups of their own, with no signal blocked or ignored', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    const argv = bash('cut -d" " -f5 /proc/$$/stat; grep -E "^Sig(Blk|Ign)" /proc/self/status | cut -f2')
    const exit = await site.run({ argv, stdout })
    const none = '0000000000000000'
    expect(readText(stdout)).toBe(`${(await site.startOf(exit.tag)).pid}\n${none}\n${none}\n`)
  })

  test("reports the job's own CPU time", async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    const busy = await site.run({
      argv: ['bash', jobFixture('burn-cpu.sh'), '200', join(site.directory, 'scratch')],
      stdout,
    })
    expect(busy.userMs).toBeGreaterThanOrEqual(Number(readText(stdout)) - 2)
    const idle = await site.run({ argv: ['sleep', '0.1'] })
    expect(idle.userMs + idle.systemMs).toBeLessThan(100)
  })

  test('reports peak memory where the kernel tells it, and nothing elsewhere', async () => {
    const site = await openSite(kind)
    const exit = await site.run({ argv: ['bash', jobFixture('hold-memory.sh'), '64'] })
    if (kind === 'native') expect(exit.peakMemoryBytes).toBeGreaterThanOrEqual(64 * 1024 * 1024)
    else expect(exit).not.toHaveProperty('peakMemoryBytes')
  })

  test('reports each of 2,000 quick launches once, in the journal too', async () => {
    const site = await openSite(kind)
    for (let tag = 0; tag < 2000; tag += 1) site.launch({ argv: ['true'], after: tag < 8 ? undefined : tag - 8 })
    await waitUntil(
      'all have ended',
      () => site.exited.length,
      count => count >= 2000,
      25_000,
    )
    expect(new Set(site.exited.map(({ tag }) => tag)).size).toBe(2000)
    expect(site.exited.every(({ code, strays }) => code === 0 && strays === 0)).toBe(true)
    const journal = readJournal(site.journal)
    expect(journal.skipped).toBe(0)
    expect(journal.launches.filter(({ exit }) => exit?.code === 0)).toHaveLength(2000)
  })
})

describe.each(kinds)('Launcher.launch() after another, kind %s', kind => {
  const block = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

  test('starts the successor without asking Node', async () => {
    const site = await openSite(kind)
    const witness = join(site.directory, 'witness')
    const first = site.launch({ argv: ['sleep', '0.2'] })
    const second = site.launch({ argv: ['touch', witness], after: first })
    await site.startOf(first)
    for (let round = 0; round < 200 && !existsSync(witness); round += 1) block(50)
    expect(existsSync(witness)).toBe(true)
    expect(site.exited).toEqual([])
    const [ended, followed] = [await site.exitOf(first), await site.exitOf(second)]
    expect(followed.startedAtMs).toBeGreaterThanOrEqual(ended.exitedAtMs)
  })

  test('keeps a chain in order', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'order')
    for (let tag = 0; tag < 20; tag += 1) {
      site.launch({ argv: bash(`echo ${tag} >>${stdout}`), after: tag === 0 ? undefined : tag - 1 })
    }
    await site.exitOf(19)
    expect(readText(stdout).trim().split('\n').map(Number)).toEqual([...Array(20).keys()])
  })

  test('starts at once when the predecessor has ended, or could not start', async () => {
    const site = await openSite(kind)
    const first = await site.run({ argv: ['true'] })
    expect(await site.run({ argv: ['true'], after: first.tag })).toMatchObject({ code: 0 })
    const failing = site.launch({ argv: ['no-such-program'] })
    expect(await site.run({ argv: ['true'], after: failing })).toMatchObject({ code: 0 })
  })

  test('recall() takes back what waits and nothing else; what waited for that waits for its predecessor', async () => {
    const site = await openSite(kind)
    const [unwanted, order] = [join(site.directory, 'unwanted'), join(site.directory, 'order')]
    const first = site.launch({ argv: bash(`sleep 0.3; echo first >>${order}`) })
    const second = site.launch({ argv: ['touch', unwanted], after: first })
    const third = site.launch({ argv: bash(`echo third >>${order}`), after: second })
    await site.startOf(first)
    expect(await site.launcher.recall(second)).toBe(true)
    expect(await site.launcher.recall(first)).toBe(false)
    await site.exitOf(third)
    expect(await site.launcher.recall(third)).toBe(false)
    expect(readText(order)).toBe('first\nthird\n')
    expect(existsSync(unwanted)).toBe(false)
    expect(site.exited.map(({ tag }) => tag)).toEqual([first, third])
  })
  test('recall() does not take back a successor that has been reported as started', async () => {
    const site = await openSite(kind)
    const first = site.launch({ argv: ['sleep', '0.05'] })
    const second = site.launch({ argv: bash('sleep 0.3; exit 6'), after: first })
    await site.startOf(second)
    await site.run({ argv: ['sleep', '0.1'] })
    expect(await site.launcher.recall(second)).toBe(false)
    expect(await site.exitOf(second)).toMatchObject({ code: 6 })
  })
})

describe.each(kinds)('Launcher.signal() of kind %s', kind => {
  test('reaches the whole group', async () => {
    const site = await openSite(kind)
    const pids = join(site.directory, 'pids')
    const tag = site.launch({ argv: ['bash', jobFixture('start-child-and-wait.sh'), pids] })
    await waitUntil(
      'the job runs',
      () => existsSync(pids) && readText(pids),
      text => text !== false && text.endsWith('\n'),
    )
    site.launcher.signal(tag, 'SIGTERM')
    expect(await site.exitOf(tag)).toMatchObject({ signal: 15 })
    for (const pid of readText(pids).split(' ').map(Number)) expect(isGone(pid)).toBe(true)
  })

  test('lets a job that ignores TERM live, and KILL end it', async () => {
    const site = await openSite(kind)
    const ready = join(site.directory, 'ready')
    const tag = site.launch({ argv: ['bash', jobFixture('ignore-term.sh'), ready] })
    await waitUntil('the job is ready', () => existsSync(ready), Boolean)
    site.launcher.signal(tag, 'SIGTERM')
    await site.run({ argv: ['sleep', '0.2'] })
    expect(site.exited.map(exit => exit.tag)).not.toContain(tag)
    site.launcher.signal(tag, 'SIGKILL')
    expect(await site.exitOf(tag)).toMatchObject({ signal: 9 })
  })

  test('sent in the tick of the launch is not lost', async () => {
    const site = await openSite(kind)
    const tag = site.launch({ argv: ['sleep', '60'] })
    site.launcher.signal(tag, 'SIGKILL')
    expect(await site.exitOf(tag)).toMatchObject({ signal: 9 })
  })

  test('that stops a job does not end it', async () => {
    const site = await openSite(kind)
    const tag = site.launch({ argv: bash('sleep 0.2; exit 5') })
    await site.startOf(tag)
    site.launcher.signal(tag, 'SIGSTOP')
    await site.run({ argv: ['sleep', '0.4'] })
    expect(site.exited.map(exit => exit.tag)).not.toContain(tag)
    site.launcher.signal(tag, 'SIGCONT')
    expect(await site.exitOf(tag)).toMatchObject({ code: 5 })
  })

  test('ignores what it does not know and what has ended', async () => {
    const site = await openSite(kind)
    const { tag } = await site.run({ argv: ['true'] })
    site.launcher.signal(tag, 'SIGKILL')
    site.launcher.signal(4711, 'SIGKILL')
    expect(await site.run({ argv: ['true'] })).toMatchObject({ code: 0 })
    expect(site.lost).toEqual([])
  })
})

describe.each(kinds)('strays of kind %s', kind => {
  const leave = async (fixture: string) => {
    const site = await openSite(kind)
    const file = join(site.directory, 'pid')
    const exit = await site.run({ argv: ['bash', jobFixture(fixture), file] })
    return { site, exit, pid: Number(readText(file)) }
  }

  test('in the group are dead before the exit is reported, and counted', async () => {
    const { exit, pid } = await leave('leave-child.sh')
    expect(isGone(pid)).toBe(true)
    expect(exit).toMatchObject({ code: 0, strays: 1 })
  })

  test.each(['leave-session.sh', 'double-fork.sh'])(
    'that left the group by %s are found by their mark',
    async fixture => {
      const { site, exit, pid } = await leave(fixture)
      expect(exit.code).toBe(0)
      // The stand-in is no reaper of orphans: it finds them a moment later, and cannot count them.
      if (kind === 'native') expect([isGone(pid), exit.strays]).toEqual([true, 1])
      await waitUntil('the stray is gone', () => isGone(pid), Boolean)
      expect(await site.run({ argv: ['true'] })).toMatchObject({ code: 0, strays: 0 })
    },
  )

  test('of one job are told from those of another that still runs', async () => {
    const site = await openSite(kind)
    const [kept, left] = [join(site.directory, 'kept'), join(site.directory, 'left')]
    const long = site.launch({ argv: bash(`bash ${jobFixture('double-fork.sh')} ${kept}; sleep 60`) })
    await waitUntil(
      'the long job has its daemon',
      () => existsSync(kept) && readText(kept),
      text => text !== false && text !== '',
    )
    await site.run({ argv: ['bash', jobFixture('double-fork.sh'), left] })
    await waitUntil('the short job is without', () => isGone(Number(readText(left))), Boolean)
    expect(isGone(Number(readText(kept)))).toBe(false)
    site.launcher.signal(long, 'SIGTERM')
    await site.exitOf(long)
    await waitUntil('the daemon is gone too', () => isGone(Number(readText(kept))), Boolean)
  })
})

describe.each(kinds)('Launcher.close() of kind %s', kind => {
  test('waits for what runs and what waits', async () => {
    const site = await openSite(kind)
    const first = site.launch({ argv: ['sleep', '0.2'] })
    const second = site.launch({ argv: bash('exit 4'), after: first })
    await site.launcher.close()
    expect(await site.exitOf(first)).toMatchObject({ code: 0 })
    expect(await site.exitOf(second)).toMatchObject({ code: 4 })
    expect(readJournal(site.journal)).toMatchObject({ lives: [{ kind, closed: true }], skipped: 0 })
    expect(site.lost).toEqual([])
  })

  test('with kill ends what runs, cancels what waits, and marks the exits as none of the job', async () => {
    const site = await openSite(kind)
    const first = site.launch({ argv: ['sleep', '60'] })
    const second = site.launch({ argv: ['true'], after: first })
    await site.startOf(first)
    await site.launcher.close({ kill: true })
    expect(await site.exitOf(first)).toMatchObject({ signal: 9 })
    expect(await site.exitOf(second)).toMatchObject({ error: 'ECANCELED', failedStep: 'canceled' })
    expect(readJournal(site.journal).launches).toMatchObject([{ tag: first, cut: true, exit: { signal: 9 } }])
  })

  test('ends daemons that carry no mark any more', async () => {
    const site = await openSite(kind)
    const file = join(site.directory, 'pid')
    await site.run({
      argv: bash(
        `setsid env -i PATH="$PATH" HEADRACE_LAUNCH= bash -c 'echo $$ >${file}; exec sleep 60' & until [ -s ${file} ]; do sleep 0.01; done`,
      ),
    })
    const pid = Number(readText(file))
    await site.launcher.close()
    if (kind === 'native') expect(isGone(pid)).toBe(true)
    else execFileSync('kill', ['-9', String(pid)])
  })
})

describe.each(kinds)('cores of kind %s', kind => {
  test('that were asked for are those a job runs on, and those of no later job', async () => {
    const site = await openSite(kind)
    const stdout = join(site.directory, 'out')
    const allowed = async (cpus?: number[]): Promise<string> => {
      await site.run({ argv: bash('grep Cpus_allowed_list /proc/self/status'), stdout, cpus })
      return readText(stdout).replace('Cpus_allowed_list:', '').trim()
    }
    const all = await allowed()
    const [first] = parseCpuList(all)
    expect(await allowed([first!])).toBe(String(first))
    expect(await allowed()).toBe(all)
  })
})

describe.skipIf(!kinds.includes('native'))('the native launcher', () => {
  test('tells of cores that the machine does not have', async () => {
    const site = await openSite('native')
    expect(await site.run({ cpus: [8191] })).toMatchObject({ error: 'EINVAL', failedStep: 'cpus' })
  })

  test("gives strays' CPU time to their job", async () => {
    const site = await openSite('native')
    const [burnt, scratch] = [join(site.directory, 'burnt'), join(site.directory, 'scratch')]
    const burn = `bash ${jobFixture('burn-cpu.sh')} 200 ${scratch} >${burnt}`
    const exit = await site.run({ argv: bash(`(${burn} &); until [ -s ${burnt} ]; do sleep 0.01; done; sleep 0.1`) })
    expect(exit.userMs).toBeGreaterThanOrEqual(Number(readText(burnt)) - 2)
  })
})
