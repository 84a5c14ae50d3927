import { join } from 'node:path'
import { withLentNode } from '../lent-node.ts'
import { cpuSeconds } from '../process-facts.ts'
import { hasTool } from '../tools.ts'
import type { Case, Contender, Line, Setting } from '../types.ts'
import {
  type ClientKind,
  clientsHere,
  launchBy,
  MPI_LAUNCH,
  MPIEXEC,
  missingRows,
  timeLaunches,
} from '../workloads/launches.ts'

const LAUNCHES = { full: 1_000, quick: 50 }

export const exec: Case = {
  name: 'exec',
  about: "1,000 × /bin/true one after another, as launches of this node and of MPICH's mpiexec",
  async prepare(setting) {
    const kinds = clientsHere(setting)
    const mpiexec = hasTool(MPIEXEC)
    const count = setting.quick ? LAUNCHES.quick : LAUNCHES.full
    return {
      contenders: [
        ...kinds.map(kind => seriesContender(setting, kind, count)),
        ...(mpiexec ? [mpiSeriesContender(count)] : []),
      ],
      lines: [
        ...kinds.flatMap(({ name, wall, cpu }): Line[] => [
          {
            contender: name,
            figure: 'wall',
            unit: 'ms',
            against: mpiexec ? { contender: MPIEXEC, target: wall } : undefined,
          },
          {
            contender: name,
            figure: 'CPU',
            unit: 'ms',
            against: mpiexec ? { contender: MPIEXEC, target: cpu } : undefined,
          },
        ]),
        ...(mpiexec
          ? ([
              { contender: MPIEXEC, figure: 'wall', unit: 'ms' },
              { contender: MPIEXEC, figure: 'CPU', unit: 'ms' },
            ] as const)
          : []),
      ],
      notes: missingRows(kinds, mpiexec),
    }
  },
}

function seriesContender(setting: Setting, { name, client, launcher }: ClientKind, count: number): Contender {
  return {
    name,
    run: directory =>
      withLentNode(setting, directory, { launcher, cpus: 8 }, async ({ pids, env }) => {
        const used = (): number => pids().reduce((sum, pid) => sum + cpuSeconds(pid), 0)
        const before = used()
        const series = await timeLaunches(directory, launchBy(join(setting.bundle, 'dist', client)), count, env)
        return { ...series, CPU: series.CPU + ((used() - before) / count) * 1000 }
      }),
  }
}

const mpiSeriesContender = (count: number): Contender => ({
  name: MPIEXEC,
  run: directory => timeLaunches(directory, MPI_LAUNCH, count),
})
