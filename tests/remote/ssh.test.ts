import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fetchFolder, runOver } from '../../runner/remote/ssh.ts'
import { parseWorker } from '../../runner/remote/worker.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-ssh-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const WORKER = parseWorker('far.example.org')
const PATIENCE_MS = 300

const writeProgram = (name: string, script: string): void =>
  writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o700 })

/** Options by which `ssh` is a program of ours. */
function withSsh(script: string) {
  writeProgram('ssh', script)
  return { settings: [], env: { PATH: `${directory}:/usr/bin:/bin` } }
}
const withoutSsh = () => ({ settings: [], env: { PATH: directory } })

test('runOver() says that there is no ssh', async () => {
  expect(await runOver(WORKER, 'true', withoutSsh(), PATIENCE_MS)).toEqual({
    kind: 'unreachable',
    message: 'ssh is not on PATH',
  })
})

test('runOver() gives up in time though what ssh has started holds its pipes', async () => {
  // It stays for longer than a test may take.
  const options = withSsh(`sleep 60 & echo $! >${directory}/pid; exec sleep 60`)
  const ran = await runOver(WORKER, 'true', options, PATIENCE_MS)
  process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')))
  expect(ran).toEqual({ kind: 'unreachable', message: 'no answer within 0.3 s' })
})

test('runOver() gives what a script said and how it ended, and takes the code of ssh itself for a broken connection', async () => {
  expect(await runOver(WORKER, 'echo out; echo err >&2; exit 3', withSsh('exec sh -s'), 10_000)).toEqual({
    kind: 'ran',
    code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  })
  const broken = withSsh('cat >/dev/null; echo "no route to host" >&2; exit 255')
  expect(await runOver(WORKER, 'true', broken, 10_000)).toEqual({ kind: 'unreachable', message: 'no route to host' })
})

test('fetchFolder() ends at once when there is no ssh', async () => {
  const into = join(directory, 'into')
  mkdirSync(into)
  writeProgram('tar', 'exec /bin/cat')
  // Much longer than the test may take.
  const fetched = await fetchFolder(WORKER, 'from', into, withoutSsh(), 600_000)
  expect(fetched).toEqual({ kind: 'unreachable', message: 'ssh is not on PATH' })
  expect(readdirSync(into)).toEqual([])
})
