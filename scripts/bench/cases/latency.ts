import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'libsql'
import { expectAllCompleted } from '../counts.ts'
import { databaseIn, timeRun } from '../headrace.ts'
import { quantile } from '../statistics.ts'
import type { Case } from '../types.ts'
import { chainSpec } from '../workloads/specs.ts'

const LENGTH = { full: 1_000, quick: 20 }
const CHAIN = 'chain'

export const latency: Case = {
  name: 'latency',
  about: "a producer's exit to its dependant's launch on an idle node: one chain of 1,000 jobs",
  async prepare(setting) {
    const length = setting.quick ? LENGTH.quick : LENGTH.full
    return {
      contenders: [
        {
          name: CHAIN,
          async run(directory) {
            writeFileSync(join(directory, 'chain.yaml'), chainSpec(length))
            await timeRun(setting, directory, 'chain.yaml')
            const dbPath = databaseIn(directory)
            expectAllCompleted(dbPath, length, 0)
            const gaps = gapsOf(dbPath)
            return { p50: quantile(gaps, 0.5), p99: quantile(gaps, 0.99) }
          },
        },
      ],
      lines: [
        { contender: CHAIN, figure: 'p50', unit: 'ms', target: { most: 2 } },
        { contender: CHAIN, figure: 'p99', unit: 'ms', target: { most: 10 } },
      ],
    }
  },
}

/** Milliseconds between each job's exit and the launch of the next, as the launcher saw them; sorted. */
function gapsOf(dbPath: string): number[] {
  const database = new Database(dbPath)
  const rows = database.prepare('SELECT launched_at, exited_at FROM result ORDER BY job_id').all() as {
    launched_at: number
    exited_at: number
  }[]
  database.close()
  return rows
    .slice(1)
    .map((row, index) => row.launched_at - rows[index]!.exited_at)
    .sort((a, b) => a - b)
}
