import { join } from 'node:path'
import Database from 'libsql'
import { expectAllCompleted } from '../counts.ts'
import { startRun } from '../headrace.ts'
import { succeeded } from '../process.ts'
import { withServer } from '../server.ts'
import { quantile } from '../statistics.ts'
import { copyDatabase, makeTemplate } from '../template.ts'
import { type Case, type Setting, WrongResult } from '../types.ts'
import { WOKEN, wakeSpec } from '../workloads/specs.ts'

type Size = { rounds: number; seconds: number }

/** After four seconds without work the next poll of an idle runner is seconds away: it is the event that wakes it. */
const FULL: Size = { rounds: 12, seconds: 4 }
const QUICK: Size = { rounds: 1, seconds: 1 }
const SECOND = 'second runner'

export const wakeUps: Case = {
  name: 'wake-ups',
  about: "a producer's exit to its dependants' launch by an idle runner beside its own: two runners, over HTTP",
  async prepare(setting) {
    const { rounds, seconds } = setting.quick ? QUICK : FULL
    const template = await makeTemplate(setting, wakeSpec(rounds, seconds))
    return {
      once: true,
      contenders: [
        {
          name: SECOND,
          async run(directory) {
            const dbPath = join(directory, 'wake-ups.db')
            copyDatabase(template.dbPath, dbPath)
            await runByTwo(setting, directory, dbPath, template.workflowId)
            expectAllCompleted(dbPath, rounds * (1 + WOKEN), 0)
            const gaps = gapsOf(dbPath)
            if (gaps.length === 0) throw new WrongResult('No dependant was started by the runner that was idle')
            return { p50: quantile(gaps, 0.5), most: gaps.at(-1)! }
          },
        },
      ],
      lines: [
        { contender: SECOND, figure: 'p50', unit: 'ms', target: { most: 100 } },
        { contender: SECOND, figure: 'most', unit: 'ms', target: { most: 100 } },
      ],
    }
  },
}

/** Runs a workflow of a server by two runners at once, each in a directory of its own. */
async function runByTwo(setting: Setting, directory: string, dbPath: string, workflowId: number): Promise<void> {
  await withServer(setting, directory, dbPath, async ({ url, token }) => {
    const runners = ['one', 'two'].map(name => {
      const words = ['--url', url, '--output-dir', join(directory, name)]
      return startRun(setting, directory, String(workflowId), { words, env: { HEADRACE_TOKEN: token } })
    })
    for (const { ended } of runners) succeeded('runner run', await ended)
  })
}

/** Milliseconds between the exit of each producer and the launch of its dependants on the other node; sorted. */
function gapsOf(dbPath: string): number[] {
  const database = new Database(dbPath)
  const rows = database
    .prepare(
      `SELECT woken.launched_at - producer.exited_at AS gap FROM job_edge AS e
         JOIN job_text AS t ON t.id = e.depends_on_job_id AND t.name LIKE 'producer%'
         JOIN result AS producer ON producer.job_id = e.depends_on_job_id
         JOIN result AS woken ON woken.job_id = e.job_id AND woken.compute_node_id <> producer.compute_node_id
       ORDER BY gap`,
    )
    .all() as { gap: number }[]
  database.close()
  return rows.map(row => row.gap)
}
