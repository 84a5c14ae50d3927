import { readCountsAt } from '../counts.ts'
import { createBy } from '../create-by.ts'
import { runHelper } from '../helper.ts'
import type { BareRows, BareSqldLoop } from '../programs/bare-sqld-loop.ts'
import type { Exchange, Exchanged } from '../programs/claim-and-complete.ts'
import { hasTargets, withTarget } from '../target.ts'
import { type Bound, type Case, type Contender, type Line, type Setting, WrongResult } from '../types.ts'
import { loadPipeline } from '../workloads/pipeline.ts'

const CHAINS = { full: 4_000, quick: 50 }
const BATCH = 100
const CONNECTIONS = 8
const BARE = 'bare sqld loop'
const BARE_PASSES = 10

/** Every kind that is deployed over a database server. */
const KINDS: readonly { kind: string; rate: Bound; ratio?: Bound }[] = [
  { kind: 'node+sqld', rate: { least: 3_000 }, ratio: { least: 0.5 } },
  { kind: 'deno+sqld', rate: { least: 1_500 } },
  { kind: 'workerd+sqld', rate: { least: 1_500 } },
]

export const controlPlanes: Case = {
  name: 'control-planes',
  about: 'claim and complete over HTTP at batch 100 with control planes on Node, Deno and workerd over a libSQL server',
  async prepare(setting) {
    if (!hasTargets(setting))
      return {
        contenders: [],
        lines: [],
        notes: ['Not measured without the packages of the tests: sh scripts/install.sh'],
      }
    const { text } = await loadPipeline(setting.root, setting.quick ? CHAINS.quick : CHAINS.full)
    return {
      contenders: [...KINDS.map(({ kind }) => exchangeContender(setting, text, kind)), bareContender(setting, text)],
      lines: [
        ...KINDS.flatMap(({ kind, rate, ratio }): Line[] => [
          { contender: kind, figure: 'rate', unit: '1/s', target: rate },
          ...(ratio === undefined
            ? []
            : [{ contender: kind, figure: 'rows', unit: '1/s', against: { contender: BARE, target: ratio } } as const]),
        ]),
        { contender: BARE, figure: 'rows', unit: '1/s' },
      ],
    }
  },
}

function exchangeContender(setting: Setting, text: string, kind: string): Contender {
  return {
    name: kind,
    run: directory =>
      withTarget(setting, directory, kind, async ({ url, token, databaseUrl }) => {
        const { workflowId, total } = await createBy(setting, { url, token }, 'from_spec', text)
        const { jobs, seconds } = await runHelper<Exchange, Exchanged>(setting, 'claim-and-complete', {
          address: { url, token },
          workflowId,
          batch: BATCH,
          connections: CONNECTIONS,
        })
        const { completed, results, completions, events, fileTimes, edges } = await readCountsAt(databaseUrl)
        if ([jobs, completed, results, completions, fileTimes].some(count => count !== total))
          throw new WrongResult(`${kind} completed ${completed} of ${total} jobs, with ${results} results`)
        // Each job is updated when it is claimed, when it completes, and whenever a job that it waits for does.
        const rows = 2 * total + edges + results + events + fileTimes
        return { rate: jobs / seconds, rows: rows / seconds }
      }),
  }
}

function bareContender(setting: Setting, text: string): Contender {
  return {
    name: BARE,
    run: directory =>
      withTarget(setting, directory, 'node+sqld', async ({ url, token, databaseUrl }) => {
        await createBy(setting, { url, token }, 'from_spec', text)
        const { rows, seconds } = await runHelper<BareSqldLoop, BareRows>(setting, 'bare-sqld-loop', {
          databaseUrl,
          batch: BATCH,
          passes: BARE_PASSES,
        })
        return { rows: rows / seconds }
      }),
  }
}
