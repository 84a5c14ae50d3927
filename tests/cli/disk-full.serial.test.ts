import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { skipUnless } from '../helpers/skip.ts'

const BUNDLE = fileURLToPath(new URL('../../dist/runner.cjs', import.meta.url))
const canMount = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs none /mnt'], { stdio: 'ignore' }).status === 0
const testIt = skipUnless(canMount, 'full disks: this user may not mount a small one (unshare -rm, mount)')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-disk-'))
  mkdirSync(join(directory, 'disk'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Runs a script with a disk of 3 MB at `disk`; `run` in it is the command under test, and its exit code is printed. */
function onSmallDisk(workflow: object, script: string): string {
  writeFileSync(join(directory, 'flow.json'), JSON.stringify(workflow))
  const run = `run() { "${process.execPath}" "${BUNDLE}" run flow.json -j 2 --output-dir disk/out 2>&1; echo "exit $?"; }`
  const mounted = `mount -t tmpfs -o size=3m none disk && ${run} && ${script}`
  return execFileSync('unshare', ['-rm', 'sh', '-c', mounted], { cwd: directory, encoding: 'utf8' })
}

describe('runner run on a full disk', () => {
  testIt('says so in one line when the workflow does not fit, exit code 3', () => {
    const name = 'a_name_long_enough_for_the_database_to_outgrow_its_disk_{i}'
    const workflow = { name: 'many', jobs: [{ name, command: 'true', parameters: { i: '1:20000' } }] }
    const said = onSmallDisk(workflow, 'run')
    expect(said).toMatch(/^Cannot write in .* as its disk is full: make room, or .*\nexit 3\n$/)
  })

  testIt(
    'ends when it cannot record anything for a while, exit code 3; the same command goes on once there is room',
    () => {
      const jobs = [
        { name: 'greedy', command: 'head -c 8000000 /dev/zero' },
        { name: 'next', command: 'true', depends_on: ['greedy'], cancel_on_blocking_job_failure: false },
      ]
      const [full, after] = onSmallDisk({ name: 'fill', jobs }, 'run && rm -r disk/out/job_stdio && run').split(
        'exit 3\n',
      )
      expect(full).toMatch(/Cannot write as the disk of the database is full or failing/)
      // The journal knew of the greedy job's end: it is not run again.
      expect(after).toContain('1 finished jobs recorded, 0 run again')
      expect(after).toMatch(/completed 1 +failed 1/)
      expect(after).toMatch(/exit 1\n$/)
    },
    60_000,
  )
})
