import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectAllCompleted } from '../counts.ts'
import { createBy } from '../create-by.ts'
import { databaseIn, startRun } from '../headrace.ts'
import { watchMemory } from '../memory-watch.ts'
import { type Running, succeeded } from '../process.ts'
import { withServer } from '../server.ts'
import type { Case, Contender, Figures, Line, Setting } from '../types.ts'
import { WrongResult } from '../types.ts'
import { noopSpec } from '../workloads/specs.ts'

const JOBS = { full: 100_000, quick: 300 }

export const memory: Case = {
  name: 'memory',
  about: 'memory of the runner and its launcher while they run 100,000 jobs that do nothing; one run each',
  async prepare(setting) {
    if (!existsSync('/proc/self/status'))
      return { contenders: [], lines: [], notes: ['no rows: only Linux tells the memory of other processes in /proc'] }
    const jobs = setting.quick ? JOBS.quick : JOBS.full
    const contenders = [clientContender(setting, jobs), wholeContender(setting, jobs)]
    return {
      once: true,
      contenders,
      lines: contenders.flatMap(({ name: contender }): Line[] => [
        { contender, figure: 'peak while jobs run', unit: 'MB', target: { most: 150 } },
        { contender, figure: 'with the last jobs', unit: 'MB', target: { most: 150 } },
        { contender, figure: 'second half to first', unit: 'x', target: { most: 1.1 } },
        { contender, figure: 'peak of launcher', unit: 'MB' },
      ]),
    }
  },
}

/** The runner alone: the workflow is at a server in a process of its own, as on a cluster. */
function clientContender(setting: Setting, jobs: number): Contender {
  return {
    name: 'runner',
    async run(directory) {
      const dbPath = join(directory, 'memory.db')
      const figures = await withServer(setting, directory, dbPath, async server => {
        const { workflowId } = await createBy(setting, server, 'from_spec', noopSpec(jobs))
        const options = { words: ['--url', server.url], env: { HEADRACE_TOKEN: server.token } }
        return watch(startRun(setting, directory, String(workflowId), options))
      })
      expectAllCompleted(dbPath, jobs, 0)
      return figures
    },
  }
}

/** The runner with the control plane in it, as on a laptop. */
function wholeContender(setting: Setting, jobs: number): Contender {
  return {
    name: 'runner with control plane',
    async run(directory) {
      writeFileSync(join(directory, 'noop.yaml'), noopSpec(jobs))
      const figures = await watch(startRun(setting, directory, 'noop.yaml'))
      expectAllCompleted(databaseIn(directory), jobs, 0)
      return figures
    },
  }
}

async function watch(running: Running): Promise<Figures> {
  const watched = watchMemory(running.pid)
  const ended = await running.ended
  const found = watched.stop()
  succeeded('runner run', ended)
  if (found === undefined) throw new WrongResult('The runner ended before its memory was seen')
  return {
    'peak while jobs run': found.peak,
    'with the last jobs': found.last,
    'second half to first': found.growth,
    'peak of launcher': found.children,
  }
}
