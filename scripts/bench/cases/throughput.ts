import { join } from 'node:path'
import { expectAllCompleted } from '../counts.ts'
import { timeExchange } from '../exchange.ts'
import { runHelper } from '../helper.ts'
import type { BareLoop, BareRate } from '../programs/bare-loop.ts'
import { makeTemplate, type Template } from '../template.ts'
import type { Bound, Case, Contender, Line, Setting } from '../types.ts'
import { loadPipeline } from '../workloads/pipeline.ts'

const CHAINS = { full: 10_000, quick: 100 }
/** The bare loop is several times quicker: it gets more jobs, so that it lasts about as long. */
const BARE_JOBS = { full: 200_000, quick: 1_000 }
const BARE_BATCH = 100

type Shape = { name: string; batch: number; connections: number; rate: Bound; ratio?: Bound }

const SHAPES: readonly Shape[] = [
  { name: 'batch 100, 8 clients', batch: 100, connections: 8, rate: { least: 15_000 }, ratio: { least: 0.11 } },
  { name: 'batch 10, 16 clients', batch: 10, connections: 16, rate: { least: 6_000 } },
]
const BARE = 'bare loop'

export const throughput: Case = {
  name: 'throughput',
  about: 'claim and complete over HTTP: chains of three through files, with results, usage, file times and events',
  async prepare(setting) {
    const { text } = await loadPipeline(setting.root, setting.quick ? CHAINS.quick : CHAINS.full)
    const template = await makeTemplate(setting, text)
    return {
      contenders: [...SHAPES.map(shape => exchangeContender(setting, template, shape)), bareContender(setting)],
      lines: [
        ...SHAPES.flatMap(({ name, rate, ratio }): Line[] => [
          { contender: name, figure: 'rate', unit: '1/s', target: rate, against: { contender: BARE, target: ratio } },
          { contender: name, figure: 'CPU of server per job', unit: 'µs' },
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
      const { rate, serverMicrosPerJob, dbPath } = await timeExchange(setting, directory, template, {
        batch,
        connections,
      })
      expectAllCompleted(dbPath, template.jobs, template.jobs)
      return { rate, 'CPU of server per job': serverMicrosPerJob }
    },
  }
}

function bareContender(setting: Setting): Contender {
  const jobs = setting.quick ? BARE_JOBS.quick : BARE_JOBS.full
  return {
    name: BARE,
    async run(directory) {
      const { seconds } = await runHelper<BareLoop, BareRate>(setting, 'bare-loop', {
        dbPath: join(directory, 'bare.db'),
        jobs,
        batch: BARE_BATCH,
        durability: setting.durability,
      })
      return { rate: jobs / seconds }
    },
  }
}
