import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectAllCompleted } from '../counts.ts'
import { databaseIn, hasNativeLauncher, timeRun } from '../headrace.ts'
import { run } from '../process.ts'
import { hasTool } from '../tools.ts'
import type { Bound, Case, Contender, Line, Setting } from '../types.ts'
import { noopSpec } from '../workloads/specs.ts'

const JOBS = { full: 10_000, quick: 50 }

/** The launchers, and what share of xargs's rate each has to reach (performance.md). */
const LAUNCHERS: readonly { kind: string; target: Bound }[] = [
  { kind: 'native', target: { least: 0.85 } },
  { kind: 'shell', target: { least: 0.4 } },
]

export const noop: Case = {
  name: 'noop',
  about: '10,000 jobs that do nothing, command to exit, two at once',
  async prepare(setting) {
    const jobs = setting.quick ? JOBS.quick : JOBS.full
    const launchers = LAUNCHERS.filter(({ kind }) => kind !== 'native' || hasNativeLauncher(setting))
    const xargs = hasTool('xargs')
    return {
      contenders: [
        ...launchers.map(({ kind }) => headraceContender(setting, jobs, kind)),
        ...(xargs ? [xargsContender(jobs)] : []),
      ],
      lines: [
        ...launchers.map(
          ({ kind, target }): Line => ({
            ...lineOf(`headrace ${kind}`),
            against: xargs ? { contender: 'xargs', target } : undefined,
          }),
        ),
        ...(xargs ? [lineOf('xargs')] : []),
      ],
      notes: [
        ...(xargs ? [] : ['no row for xargs: it is not installed']),
        ...(launchers.length === LAUNCHERS.length ? [] : ['no row for the native launcher: it could not be built']),
      ],
    }
  },
}

const lineOf = (contender: string): Line => ({ contender, figure: 'rate', unit: '1/s' })

function headraceContender(setting: Setting, jobs: number, launcher: string): Contender {
  return {
    name: `headrace ${launcher}`,
    async run(directory) {
      writeFileSync(join(directory, 'noop.yaml'), noopSpec(jobs))
      const wall = await timeRun(setting, directory, 'noop.yaml', { HEADRACE_LAUNCHER: launcher })
      expectAllCompleted(databaseIn(directory), jobs, 0)
      return { rate: jobs / wall }
    },
  }
}

function xargsContender(jobs: number): Contender {
  return {
    name: 'xargs',
    async run(directory) {
      const inputPath = join(directory, 'lines')
      writeFileSync(inputPath, 'x\n'.repeat(jobs))
      const { wallSeconds } = await run('xargs', ['-P2', '-I{}', 'bash', '-c', 'true'], { cwd: directory, inputPath })
      return { rate: jobs / wallSeconds }
    },
  }
}
