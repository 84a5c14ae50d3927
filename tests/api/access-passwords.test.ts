import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import bcrypt from 'bcryptjs'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createPasswordChecks } from '../../api/node/password-checks.ts'
import { openPasswordFile, type PasswordFile } from '../../api/node/password-file.ts'
import { StartError } from '../../api/node/start-error.ts'

let folder: string
let path: string
let opened: PasswordFile[]
let clock: { now: number }
let lines: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'headrace-passwords-'))
  path = join(folder, 'users.htpasswd')
  opened = []
  clock = { now: 1_000 }
  lines = []
})
afterEach(async () => {
  for (const file of opened) await file.close()
  rmSync(folder, { recursive: true, force: true })
})

const line = (user: string, password: string, cost = 4) => `${user}:${bcrypt.hashSync(password, cost)}\n`

/** Replaced as careful tools do: a new file takes the place of the old one. */
function write(text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

function open(rememberSeconds = 60): PasswordFile {
  const file = openPasswordFile({ path, rememberSeconds, log: text => lines.push(text), now: () => clock.now })
  opened.push(file)
  return file
}

it('openPasswordFile() tells right passwords from wrong ones, of known users and others', async () => {
  write(line('ada', 'secret') + line('ben', 'other').replace('$2b$', '$2y$'))
  const file = open()
  expect(await file.check('ada', 'secret')).toBe(true)
  expect(await file.check('ada', 'secret')).toBe(true)
  expect(await file.check('ben', 'other')).toBe(true)
  for (const [user, password] of [
    ['ada', 'other'],
    ['ada', ''],
    ['Ada', 'secret'],
    ['cy', 'secret'],
    ['', 'secret'],
    ['ada:secret', ''],
  ] as const) {
    expect([user, password, await file.check(user, password)]).toEqual([user, password, false])
  }
})

it('openPasswordFile() counts an empty password as wrong even where the file has its hash', async () => {
  write(line('ada', ''))
  expect(await open().check('ada', '')).toBe(false)
})

it('openPasswordFile() reads a file that has changed, and forgets who was right before', async () => {
  write(line('ada', 'secret') + line('ben', 'other'))
  const file = open()
  expect(await file.check('ada', 'secret')).toBe(true)
  write(line('ben', 'changed'))
  clock.now += 1_001
  expect(await file.check('ada', 'secret')).toBe(false)
  expect(await file.check('ben', 'other')).toBe(false)
  expect(await file.check('ben', 'changed')).toBe(true)
  expect(lines).toEqual([expect.stringContaining('1 users')])
})

it('openPasswordFile() keeps the old users when the file is bad or gone, and says so once', async () => {
  write(line('ada', 'secret'))
  const file = open()
  write('ada:not a hash\n')
  for (let k = 0; k < 3; k++) {
    clock.now += 1_001
    expect(await file.check('ada', 'secret')).toBe(true)
  }
  expect(lines).toEqual([expect.stringContaining('line 1')])
  await expect(file.reload()).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('line 1') })
  rmSync(path)
  await expect(file.reload()).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('ENOENT') })
  expect(await file.check('ada', 'secret')).toBe(true)
})

it('reload() tells the number of users, and a user who was removed is refused from then on', async () => {
  write(line('ada', 'secret') + line('ben', 'other'))
  const file = open()
  expect(await file.check('ada', 'secret')).toBe(true)
  write(line('ben', 'other'))
  expect(await file.reload()).toBe(1)
  expect(await file.check('ada', 'secret')).toBe(false)
})

it('openPasswordFile() refuses to start with a file that is missing or bad', () => {
  expect(() => open()).toThrow(StartError)
  write('# nobody\n')
  expect(() => open()).toThrow('no user')
})

it('openPasswordFile() leaves the event loop free while a password is checked', async () => {
  write(line('ada', 'secret', 11))
  const file = open()
  // The thread starts with the first check.
  await file.check('ada', 'wrong at first')
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await file.check('ada', 'secret')
  clearInterval(timer)
  expect(turns).toBeGreaterThan(3)
})

/** Comparisons that end when the test says so. */
function slowComparison() {
  const open: ((right: boolean) => void)[] = []
  const asked: string[] = []
  const compare = (user: string) => {
    asked.push(user)
    return new Promise<boolean>(resolve => open.push(resolve))
  }
  const answer = async (right: boolean) => {
    await new Promise(resolve => setImmediate(resolve))
    open.shift()?.(right)
    await new Promise(resolve => setImmediate(resolve))
  }
  return { compare, asked, answer }
}

it('createPasswordChecks() remembers successes for a while, and failures not at all', async () => {
  let compared = 0
  const now = { ms: 0 }
  const checks = createPasswordChecks({
    compare: async (_, password) => {
      compared++
      return password === 'right'
    },
    rememberMs: 1_000,
    now: () => now.ms,
  })
  expect([await checks.check('a', 'right'), await checks.check('a', 'right'), compared]).toEqual([true, true, 1])
  expect([await checks.check('a', 'bad'), await checks.check('a', 'bad'), compared]).toEqual([false, false, 3])
  now.ms = 1_001
  expect([await checks.check('a', 'right'), compared]).toEqual([true, 4])
  checks.forget()
  expect([await checks.check('a', 'right'), compared]).toEqual([true, 5])
})

it('createPasswordChecks() remembers nothing when told to', async () => {
  let compared = 0
  const compare = async () => ++compared > 0
  const checks = createPasswordChecks({ compare, rememberMs: 0, now: () => 0 })
  await checks.check('a', 'right')
  await checks.check('a', 'right')
  expect(compared).toBe(2)
})

it('createPasswordChecks() keeps users apart whose names and passwords join to the same text', async () => {
  const compare = async (user: string, password: string) => user === 'ab' && password === 'c'
  const checks = createPasswordChecks({ compare, rememberMs: 1_000, now: () => 0 })
  expect(await checks.check('ab', 'c')).toBe(true)
  expect(await checks.check('a', 'bc')).toBe(false)
})

it('createPasswordChecks() compares one at a time, and once for all who ask the same', async () => {
  const { compare, asked, answer } = slowComparison()
  const checks = createPasswordChecks({ compare, rememberMs: 1_000, now: () => 0 })
  const same = Array.from({ length: 20 }, () => checks.check('a', 'x'))
  const other = checks.check('b', 'y')
  await answer(true)
  expect(asked).toEqual(['a', 'b'])
  expect(await Promise.all(same)).toEqual(Array(20).fill(true))
  await answer(false)
  expect(await other).toBe(false)
})

it('createPasswordChecks() refuses to queue more guesses at one user, and more than it can answer in time', async () => {
  const { compare, answer } = slowComparison()
  const checks = createPasswordChecks({ compare, rememberMs: 1_000, now: () => 0 })
  const waiting = Array.from({ length: 8 }, (_, k) => checks.check('a', `guess-${k}`))
  await expect(checks.check('a', 'guess-8')).rejects.toMatchObject({ code: 'unavailable' })
  for (let k = 0; k < 24; k++) waiting.push(checks.check(`u${k}`, 'x'))
  await expect(checks.check('c', 'x')).rejects.toMatchObject({ code: 'unavailable' })
  for (let k = 0; k < 32; k++) await answer(false)
  expect(await Promise.all(waiting)).toEqual(Array(32).fill(false))
  const after = checks.check('a', 'guess-8')
  await answer(true)
  expect(await after).toBe(true)
})

it('createPasswordChecks() does not remember a success that was asked for before it was told to forget', async () => {
  const { compare, asked, answer } = slowComparison()
  const checks = createPasswordChecks({ compare, rememberMs: 1_000, now: () => 0 })
  const first = checks.check('a', 'x')
  await new Promise(resolve => setImmediate(resolve))
  checks.forget()
  await answer(true)
  expect(await first).toBe(true)
  const second = checks.check('a', 'x')
  await answer(false)
  expect(await second).toBe(false)
  expect(asked).toEqual(['a', 'a'])
})

it('createPasswordChecks() goes on after a comparison that failed', async () => {
  let tries = 0
  const compare = async () => {
    if (++tries === 1) throw new Error('the thread has ended')
    return true
  }
  const checks = createPasswordChecks({ compare, rememberMs: 1_000, now: () => 0 })
  await expect(checks.check('a', 'x')).rejects.toThrow('the thread has ended')
  expect(await checks.check('a', 'x')).toBe(true)
})
