import { join } from 'node:path'
import { expectSame, readCounts } from '../counts.ts'
import { timeExchange } from '../exchange.ts'
import { runHelper } from '../helper.ts'
import type { Filling } from '../programs/fill-database.ts'
import { copyDatabase, makeTemplate, type Template } from '../template.ts'
import type { Case, Contender, Setting } from '../types.ts'
import { longChainSpec } from '../workloads/specs.ts'

type Size = {
  chains: number
  length: number
  jobs: number
  batch: number
  connections: number
  ready: readonly number[]
  finished: number
}

/** Chains are long, so that a thousand of them keep a thousand jobs ready; fewer jobs are measured than they have. */
const FULL: Size = {
  chains: 1_000,
  length: 30,
  jobs: 25_000,
  batch: 100,
  connections: 8,
  ready: [1e3, 1e5, 1e6],
  finished: 1e6,
}
const QUICK: Size = {
  chains: 100,
  length: 5,
  jobs: 300,
  batch: 10,
  connections: 4,
  ready: [100, 200, 1_000],
  finished: 1_000,
}

/** The same work beside that much else in the database. */
type Variant = { name: string; ready: number; finished: number }

export const scale: Case = {
  name: 'scale',
  about: 'throughput at batch 100 with a thousand to a million ready jobs, and with a million finished ones',
  async prepare(setting) {
    const size = setting.quick ? QUICK : FULL
    const base = await makeTemplate(setting, longChainSpec(size.chains, size.length))
    const contenders: Contender[] = []
    for (const variant of variantsOf(size)) {
      const template = await fill(setting, base, size, variant)
      contenders.push(contenderOf(setting, template, size, variant))
    }
    return {
      contenders,
      lines: contenders.map(({ name }, index) => ({
        contender: name,
        figure: 'rate',
        unit: '1/s',
        against: index === 0 ? undefined : { contender: contenders[0]!.name, target: { least: 0.8 } },
      })),
    }
  },
}

const variantsOf = ({ ready, finished }: Size): Variant[] => [
  ...ready.map(count => ({ name: `${nameOf(count)} ready`, ready: count, finished: 0 })),
  { name: `${nameOf(ready[0]!)} ready, ${nameOf(finished)} finished`, ready: ready[0]!, finished },
]

const nameOf = (count: number): string => count.toLocaleString('en-US')

/** The chains' heads are ready; the others of a lower priority are added behind them, so every variant measures the same jobs. */
async function fill(setting: Setting, base: Template, { chains }: Size, variant: Variant): Promise<Template> {
  const { ready, finished } = variant
  if (ready === chains && finished === 0) return base
  const dbPath = join(setting.directories.make('template'), 'template.db')
  copyDatabase(base.dbPath, dbPath)
  const { workflowId } = base
  await runHelper<Filling, Record<string, never>>(setting, 'fill-database', {
    dbPath,
    workflowId,
    ready: ready - chains,
    finished,
  })
  return { ...base, dbPath }
}

function contenderOf(
  setting: Setting,
  template: Template,
  { jobs, batch, connections }: Size,
  { name, finished }: Variant,
): Contender {
  return {
    name,
    async run(directory) {
      const done = await timeExchange(setting, directory, template, { jobs, batch, connections })
      const completed = finished + done.jobs
      expectSame('counts in the database', readCounts(done.dbPath), {
        completed,
        results: completed,
        completions: completed,
        fileTimes: done.jobs,
      })
      return { rate: done.rate }
    },
  }
}
