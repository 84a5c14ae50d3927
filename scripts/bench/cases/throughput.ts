import { join } from 'node:path'
import { expectAllCompleted } from '../counts.ts'
import { timeExchange } from '../exchange.ts'
import { runHelper } from '../helper.ts'
import type { BareLoop, BareRate } from '../programs/bare-loop.ts'
import { copyDatabase, makeTemplate, type Template } from '../template.ts'
import type { Bound, Case, Contender, Line, Setting } from '../types.ts'
import { loadPipeline } from '../workloads/pipeline.ts'

const CHAINS = { full: 10_000, quick: 100 }
const BARE = 'bare loop'
const BARE_BATCH = 100
/** The bare loop is many times quicker: with that many passes it lasts about as long. */
const BARE_PASSES = 10

type Shape = { name: string; batch: number; connections: number; rate: Bound; ratio?: Bound; slowest?: Bound }

const SHAPES: readonly Shape[] = [
  { name: 'batch 100, 8 clients', batch: 100, connections: 8, rate: { least: 15_000 }, ratio: { least: 0.11 } },
  { name: 'batch 10, 16 clients', batch: 10, connections: 16, rate: { least: 6_000 } },
  // A refused request is a wrong result, so that none is refused where there are figures.
  { name: '64 runners, batch 20', batch: 20, connections: 64, rate: { least: 10_000 }, slowest: { most: 1_000 } },
]

export const throughput: Case = {
  name: 'throughput',
  about: 'claim and complete over HTTP: chains of three through files, with results, usage, file times and events',
  async prepare(setting) {
    const { text } = await loadPipeline(setting.root, setting.quick ? CHAINS.quick : CHAINS.full)
    const template = await makeTemplate(setting, text)
    return {
      contenders: [
        ...SHAPES.map(shape => exchangeContender(setting, template, shape)),
        bareContender(setting, template),
      ],
      lines: [
        ...SHAPES.flatMap(({ name, rate, ratio, slowest }): Line[] => [
          { contender: name, figure: 'rate', unit: '1/s', target: rate, against: { contender: BARE, target: ratio } },
          { contender: name, figure: 'CPU of server per job', unit: 'µs' },
          ...(slowest === undefined
            ? []
            : [{ contender: name, figure: 'slowest request', unit: 'ms', target: slowest } as const]),
        ]),
        { contender: BARE, figure: 'rate', unit: '1/s' },
      ],
    }
  },
}

function exchangeContender(setting: Setting, template: Template, { name, batch, connections }: Shape): Contender {
  return {
    name,
    async run(directory) {
      const { rate, slowestMs, serverMicrosPerJob, dbPath } = await timeExchange(setting, directory, template, {
        batch,
        connections,
      })
      expectAllCompleted(dbPath, template.jobs, template.jobs)
      return { rate, 'slowest request': slowestMs, 'CPU of server per job': serverMicrosPerJob }
    },
  }
}

function bareContender(setting: Setting, template: Template): Contender {
  return {
    name: BARE,
    async run(directory) {
      const dbPath = join(directory, 'bare.db')
      copyDatabase(template.dbPath, dbPath)
      const { jobs, seconds } = await runHelper<BareLoop, BareRate>(setting, 'bare-loop', {
        dbPath,
        batch: BARE_BATCH,
        passes: BARE_PASSES,
        durability: setting.durability,
      })
      return { rate: jobs / seconds }
    },
  }
}
