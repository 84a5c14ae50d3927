import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { readOutboxFile } from '../../runner/outbox/outbox-file.ts'
import { waitUntil } from '../launcher/harness.ts'
import { startServer } from '../scenarios-runner/server.ts'
import { openSite } from '../scenarios-runner/site.ts'

const JOBS = 6
const WORKFLOW = `
name: hashes
files: [{ name: 'f{i}', path: 'out_{i}', parameters: { i: '1:${JOBS}' } }]
jobs: [{ name: 'j{i}', command: 'echo {i} > out_{i}', output_files: ['f{i}'], parameters: { i: '1:${JOBS}' } }]
`

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

test.each(['1', '3'])(
  'runner run --job-threads %s --hash-outputs tells the size and hash of every output',
  async threads => {
    const site = openSite(WORKFLOW)
    const { url } = await startServer(site)
    await site.runTo(0, ['create', 'workflow.yaml', '--url', url])
    const words = ['run', '1', '--url', url, '--output-dir', 'node', '--hash-outputs', '--job-threads', threads]
    await site.runTo(0, [...words, '--overcommit', '--num-cpus', '3'])
    const directory = site.path(`node/runner/${hostname()}/outbox`)
    const files = readdirSync(directory).map(name => readOutboxFile(`${directory}/${name}`)!)
    const outputs = files.flatMap(({ entries }) => entries.flatMap(({ entry }) => entry.file_times ?? []))
    expect(outputs.map(output => output.sha256).sort()).toEqual(
      Array.from({ length: JOBS }, (_, index) => sha256(`${index + 1}\n`)).sort(),
    )
    expect(outputs.map(output => output.size_bytes)).toEqual(Array(JOBS).fill(2))
  },
)

test.each([['0'], ['-1'], ['x'], ['']])('S80 runner run --job-threads=%s ends with 2 and one line', async threads => {
  const site = openSite(WORKFLOW)
  const { stderr } = await site.runTo(2, ['run', 'workflow.yaml', `--job-threads=${threads}`])
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stderr).toContain(
    `Cannot read --job-threads as it must be a whole number >= 1: current value is ${threads || '(empty)'}`,
  )
})

test('runner run --job-threads warns when the threads are more than the cores it offers', async () => {
  const site = openSite(WORKFLOW)
  const { stderr } = await site.runTo(0, ['run', 'workflow.yaml', '--job-threads', '3', '--num-cpus', '1'])
  expect(stderr).toContain('--job-threads 3 is more than the 1 cores of this node')
})

test('S80 runner run that is ended during finalising tells every exit before it ends', async () => {
  const site = openSite(`
name: ended
files: [{ name: 'f{i}', path: 'out_{i}', parameters: { i: '1:2' } }]
jobs:
  - { name: 'j{i}', command: 'truncate -s 200M out_{i}', output_files: ['f{i}'], parameters: { i: '1:2' } }
  - { name: last, command: 'until test -e go; do sleep 0.02; done' }
`)
  const runner = site.start(['run', 'workflow.yaml', '-j', '3', '--hash-outputs', '--job-threads', '2'])
  const ends = () => /^E [^\n]*\n.*^E /ms.test(readJournal(site.journal))
  await waitUntil('two jobs have ended', ends, Boolean)
  runner.child.kill('SIGTERM')
  await runner.ended
  const rows = await site.rows<{ status: number }>('SELECT status FROM job ORDER BY id')
  expect(rows.slice(0, 2)).toMatchObject([{ status: 5 }, { status: 5 }])
})

function readJournal(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
