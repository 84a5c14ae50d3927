import { join } from 'node:path'
import { runHelper } from '../helper.ts'
import type { Filling } from '../programs/fill-database.ts'
import type { Related, Relations } from '../programs/fill-relations.ts'
import type { Requests, Timed } from '../programs/time-requests.ts'
import { withServer } from '../server.ts'
import { copyDatabase, makeTemplate, type Template } from '../template.ts'
import type { Case, Contender, Line, Setting } from '../types.ts'
import { noopSpec } from '../workloads/specs.ts'

const PAGE = 100
const FULL = { small: 1_000, large: 1_000_000, repeats: 200 }
const QUICK = { small: 1_000, large: 2_000, repeats: 10 }
/** Jobs of the template before it is filled, and ready ones among the others. */
const FIRST = 10
const READY_ONE_IN = 2

/** A page of each list somewhere in the workflow, and what runners ask in every round. */
const LISTS = [
  { name: 'jobs', path: '/jobs?workflow_id=W' },
  { name: 'jobs, completed', path: '/jobs?workflow_id=W&status=completed' },
  { name: 'jobs, ready', path: '/jobs?workflow_id=W&status=ready' },
  { name: 'results', path: '/results?workflow_id=W' },
  { name: 'results, all runs', path: '/results?workflow_id=W&all_runs=true' },
  { name: 'files', path: '/files?workflow_id=W' },
  { name: 'user data', path: '/user_data?workflow_id=W' },
  { name: 'dependencies', path: '/workflows/W/job_dependencies?' },
  { name: 'file relationships', path: '/workflows/W/job_file_relationships?' },
  { name: 'user data relationships', path: '/workflows/W/job_user_data_relationships?' },
]
const COUNTERS = ['summary', 'is_complete']

export const lists: Case = {
  name: 'lists',
  about:
    'pages of 100 by key, anywhere among a million jobs: 95 of 100 replies within; summary and is_complete at two sizes',
  async prepare(setting) {
    const { small, large, repeats } = setting.quick ? QUICK : FULL
    const base = await makeTemplate(setting, noopSpec(FIRST))
    const contenders = await Promise.all(
      [small, large].map(async jobs => contenderOf(setting, await fill(setting, base, jobs), jobs, repeats)),
    )
    const [smaller, larger] = contenders.map(({ name }) => name) as [string, string]
    const within = LISTS.map(
      ({ name }): Line => ({ contender: larger, figure: name, unit: 'ms', target: { most: 20 } }),
    )
    const alike = COUNTERS.map(
      (figure): Line => ({
        contender: larger,
        figure,
        unit: 'ms',
        against: { contender: smaller, target: { most: 1.5 } },
      }),
    )
    return { contenders, lines: [...within, ...alike] }
  },
}

type Filled = Template & { firstJob: number; lastJob: number }

async function fill(setting: Setting, base: Template, jobs: number): Promise<Filled> {
  const dbPath = join(setting.directories.make('template'), 'template.db')
  copyDatabase(base.dbPath, dbPath)
  const { workflowId } = base
  const ready = Math.floor(jobs / READY_ONE_IN)
  const filling: Filling = { dbPath, workflowId, ready, finished: jobs - ready }
  await runHelper<Filling, Record<string, never>>(setting, 'fill-database', filling)
  const firstJob = FIRST + 1
  await runHelper<Relations, Related>(setting, 'fill-relations', { dbPath, workflowId, firstJob })
  return { ...base, dbPath, firstJob, lastJob: FIRST + jobs }
}

/** Reads change nothing, so all runs share the database. */
function contenderOf(setting: Setting, filled: Filled, jobs: number, repeats: number): Contender {
  const { dbPath, workflowId, firstJob } = filled
  // Pages begin anywhere in the half of which every list has enough.
  const span = Math.floor(jobs / READY_ONE_IN) - 2 * PAGE
  const after = Array.from({ length: 20 }, (_, k) => firstJob + Math.floor((span * k) / 20))
  const paths = [
    ...LISTS.map(({ name, path }) => {
      const page = `limit=${PAGE}&after_id=${name.startsWith('results') ? '0' : '{after}'}`
      return { name, path: `${path.replace('W', String(workflowId))}&${page}`, items: PAGE }
    }),
    ...COUNTERS.map(name => ({ name, path: `/workflows/${workflowId}/${name}` })),
  ]
  return {
    name: `${jobs.toLocaleString('en-US')} jobs`,
    run: directory =>
      withServer(setting, directory, dbPath, ({ url, token }) =>
        runHelper<Requests, Timed>(setting, 'time-requests', { address: { url, token }, paths, after, repeats }),
      ),
  }
}
