import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readRecords } from '../../../runner/exec/read-records.ts'
import type { LaunchRecord } from '../../../runner/exec/record.ts'
import { nodeRecordsPath, withLentNode } from '../lent-node.ts'
import { run } from '../process.ts'
import { spreadOf } from '../statistics.ts'
import { hasTool } from '../tools.ts'
import { type Case, type Contender, type Line, type Setting, WrongResult } from '../types.ts'
import {
  type ClientKind,
  clientsHere,
  launchBy,
  MPI_LAUNCH,
  MPIEXEC,
  missingRows,
  NATIVE,
  timeLaunches,
} from '../workloads/launches.ts'

const LAUNCHES = { full: 10_000, quick: 32 }
const CORES = 8
/** Launches one after another before and after the suite. */
const AROUND = 100

export const execSuite: Case = {
  name: 'exec-suite',
  about: '10,000 launches of 1, 2 and 4 cores by make -j32 on 8 configured cores, and by mpiexec under make -j8',
  async prepare(setting) {
    const count = setting.quick ? LAUNCHES.quick : LAUNCHES.full
    const kinds = clientsHere(setting).filter(({ name }) => name === NATIVE)
    const mpiexec = hasTool(MPIEXEC) && hasTool('make')
    return {
      contenders: [
        ...kinds.map(kind => suiteContender(setting, kind, count)),
        ...(mpiexec ? [mpiSuiteContender(count)] : []),
      ],
      lines: [
        ...kinds.flatMap(({ name }): Line[] => [
          {
            contender: name,
            figure: 'rate',
            unit: '1/s',
            against: mpiexec ? { contender: MPIEXEC, target: { least: 1.2 } } : undefined,
          },
          { contender: name, figure: 'last 100 to first 100', unit: 'x', target: { most: 1.2 } },
          { contender: name, figure: 'growth of resident part', unit: 'MB', target: { most: 20 } },
        ]),
        ...(mpiexec ? [{ contender: MPIEXEC, figure: 'rate', unit: '1/s' } as const] : []),
      ],
      notes: missingRows(kinds, mpiexec),
    }
  },
}

/** Rules of 1, 2 and 4 cores in turn. */
function writeSuite(directory: string, count: number, recipe: (cores: number) => string): void {
  const rules = Array.from({ length: count }, (_, i) => `t${i}:\n\t@${recipe([1, 2, 4][i % 3]!)}\n`)
  const names = rules.map((_, i) => `t${i}`)
  writeFileSync(join(directory, 'Makefile'), `all: ${names.join(' ')}\n.PHONY: ${names.join(' ')}\n${rules.join('')}`)
}

function suiteContender(setting: Setting, { name, client, launcher }: ClientKind, count: number): Contender {
  return {
    name,
    run: directory =>
      withLentNode(setting, directory, { launcher, cpus: CORES }, async ({ env, memoryMb, stop }) => {
        const program = join(setting.bundle, 'dist', client)
        writeSuite(directory, count, cores => launchBy(program, cores))
        await timeLaunches(directory, launchBy(program), AROUND, env)
        const before = memoryMb()
        const { wallSeconds } = await run('make', ['-s', '-j32'], { cwd: directory, env })
        const growth = memoryMb() - before
        await timeLaunches(directory, launchBy(program), AROUND, env)
        await stop()
        const records = readAll(nodeRecordsPath(directory))
        checkRecords(records, count + 2 * AROUND)
        return {
          rate: count / wallSeconds,
          'last 100 to first 100': periodOf(records.slice(-AROUND)) / periodOf(records.slice(0, AROUND)),
          // It may even shrink, and a ratio needs a figure above 0.
          'growth of resident part': Math.max(growth, 0.1),
        }
      }),
  }
}

/** Throws when a launch is missing, or more cores were lent than there are. */
function checkRecords(records: readonly LaunchRecord[], count: number): void {
  if (records.length !== count) throw new WrongResult(`Records are ${records.length} and must be ${count}`)
  const events = records
    .flatMap(({ cores, started_at, exited_at }) => [
      { at: started_at, change: cores.length },
      { at: exited_at, change: -cores.length },
    ])
    .sort((a, b) => a.at - b.at || a.change - b.change)
  let lent = 0
  for (const { change } of events) {
    lent += change
    if (lent > CORES) throw new WrongResult(`${lent} cores were lent of ${CORES}`)
  }
}

/** Milliseconds from one start to the next, of launches one after another; the median, since one pause of the machine is longer than all of them. */
function periodOf(records: readonly LaunchRecord[]): number {
  const starts = records.map(({ started_at }) => started_at).sort((a, b) => a - b)
  return spreadOf(starts.slice(1).map((start, index) => start - starts[index]!)).median
}

function readAll(path: string): LaunchRecord[] {
  const records: LaunchRecord[] = []
  for (let from = 0; ; ) {
    const batch = readRecords(path, from, undefined)
    if (batch.endByte === from) return records
    records.push(...batch.records)
    from = batch.endByte
  }
}

const mpiSuiteContender = (count: number): Contender => ({
  name: MPIEXEC,
  async run(directory) {
    writeSuite(directory, count, () => MPI_LAUNCH)
    const { wallSeconds } = await run('make', ['-s', '-j8'], { cwd: directory })
    return { rate: count / wallSeconds }
  },
})
