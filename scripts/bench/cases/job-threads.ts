import { join } from 'node:path'
import { hashFile } from '../../../runner/hash-file.ts'
import { makeEmptyFile } from '../empty-file.ts'
import { runHelper } from '../helper.ts'
import type { Finalised, Finalising } from '../programs/finalise-jobs.ts'
import { type Case, type Contender, type Setting, WrongResult } from '../types.ts'

const HASH_MS = { full: 50, quick: 2 }
const PROBE_BYTES = 32 * 2 ** 20
const PROBES = 5
const JOBS = 18
const ONE = '--job-threads 1'
const TWO = '--job-threads 2'

export const jobThreads: Case = {
  name: 'job-threads',
  about: '18 jobs that have ended together, 50 ms of hashing each: from the exits to their completions',
  async prepare(setting) {
    const outputBytes = bytesHashedIn(setting.quick ? HASH_MS.quick : HASH_MS.full, setting)
    return {
      contenders: [contenderOf(setting, ONE, 1, outputBytes), contenderOf(setting, TWO, 2, outputBytes)],
      lines: [
        { contender: ONE, figure: 'rate', unit: '1/s' },
        { contender: TWO, figure: 'rate', unit: '1/s', against: { contender: ONE, target: { least: 1.6 } } },
      ],
    }
  },
}

function contenderOf(setting: Setting, name: string, threads: number, outputBytes: number): Contender {
  const program = join(setting.bundle, 'dist/job-thread.mjs')
  return {
    name,
    async run(directory) {
      const input: Finalising = { directory, jobs: JOBS, outputBytes, threads, program }
      const { seconds, hashes } = await runHelper<Finalising, Finalised>(setting, 'finalise-jobs', input)
      if (hashes !== JOBS) throw new WrongResult(`${hashes} outputs were hashed and must be ${JOBS}`)
      return { rate: JOBS / seconds }
    },
  }
}

/** How much this machine hashes in that time when nothing disturbs it: the quickest of some tries. */
function bytesHashedIn(ms: number, { directories }: Setting): number {
  const path = join(directories.make('job-threads-probe'), 'probe')
  makeEmptyFile(path, PROBE_BYTES)
  const tries = Array.from({ length: PROBES }, () => {
    const beganAt = performance.now()
    hashFile(path)
    return performance.now() - beganAt
  })
  return Math.round((PROBE_BYTES * ms) / Math.min(...tries))
}
