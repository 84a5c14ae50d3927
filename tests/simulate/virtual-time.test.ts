import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'

const SOURCE = fileURLToPath(new URL('../../scripts/simulate/virtual-time.ts', import.meta.url))

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-virtual-'))
  buildSync({ entryPoints: [SOURCE], outfile: join(directory, 'virtual-time.mjs'), format: 'esm', platform: 'node' })
})
afterAll(() => rmSync(directory, { recursive: true }))

/** Runs a program on virtual time in a process of its own, which it takes over; gives what it logs. */
function run(program: string): Promise<unknown> {
  const text = `
const { VirtualTime } = await import(${JSON.stringify(pathToFileURL(join(directory, 'virtual-time.mjs')).href)})
const time = new VirtualTime(1_000_000)
time.install()
const log = []
const note = what => log.push([Date.now() - 1_000_000, what])
${program}
process.stdout.write(JSON.stringify(log))`
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['--input-type=module', '-e', text], (error, stdout) =>
      error === null ? resolve(JSON.parse(stdout)) : reject(error),
    )
  })
}

test('VirtualTime lets timers go off in the order of their moments, and of one moment in the order they were set', async () => {
  const log = await run(`
setTimeout(() => note('late'), 3_600_000)
setTimeout(note, 20, 'second')
setTimeout(note, 20, 'third')
setTimeout(() => note('first'), 10)
clearTimeout(setTimeout(() => note('never'), 5))
await time.run(Date.now() + 7_200_000, () => false)
note('end')`)
  expect(log).toEqual([
    [10, 'first'],
    [20, 'second'],
    [20, 'third'],
    [3_600_000, 'late'],
    [7_200_000, 'end'],
  ])
})

test('VirtualTime stands still while immediates and promises have anything to do', async () => {
  const log = await run(`
setTimeout(() => note('later'), 1)
setImmediate(() => setImmediate(async () => {
  await undefined
  setImmediate(() => note('now'))
}))
await time.run(Date.now() + 10, () => false)`)
  expect(log).toEqual([
    [0, 'now'],
    [1, 'later'],
  ])
})

test('VirtualTime repeats intervals until they are cleared, and dates and performance.now() go with it', async () => {
  const log = await run(`
const start = performance.now()
const repeated = setInterval(() => {
  note(new Date().getTime() - 1_000_000 + (performance.now() - start))
  if (log.length === 3) clearInterval(repeated)
}, 100)
await time.run(Date.now() + 10_000, () => false)`)
  expect(log).toEqual([
    [100, 200],
    [200, 400],
    [300, 600],
  ])
})

test('VirtualTime stops as soon as it is told to', async () => {
  const log = await run(`
for (const ms of [10, 20, 30]) setTimeout(() => note(ms), ms)
await time.run(Date.now() + 100, () => log.length === 2)`)
  expect(log).toEqual([
    [10, 10],
    [20, 20],
  ])
})
