import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readMarks } from '../../runner/launcher/processes.ts'
import { createRandom } from '../../runner/random.ts'
import { jobFixture, openSite, type Site } from '../scenarios-runner/site.ts'
import { countIn, createSaboteur, type Victim } from './saboteur.ts'

/** HEADRACE_SEED repeats the kills of a run that failed. */
const SEED = Number(process.env.HEADRACE_SEED ?? Date.now() % 1_000_000)
/** By hand: HEADRACE_KILLS=200 with `-t 'kills of the runner lose'`, which makes 3,200 jobs. */
const KILLS = Number(process.env.HEADRACE_KILLS ?? 25)
const JOBS = Math.max(600, 16 * KILLS)

/**
 * Chains of two, of jobs that last 10 to 190 ms and write it down when two copies of them run. A few kills in a row may strike the same
 * job, and more often than the usual loss budget allows.
 */
const WORKFLOW = `
name: kills
loss_budget: ${KILLS}
jobs:
  - name: first_{i}
    command: ${jobFixture('run-alone.sh')} ran $(printf 0.%02d $(( {i} % 19 + 1 )))
    parameters: { i: '1:${JOBS / 2}' }
  - name: second_{i}
    command: ${jobFixture('run-alone.sh')} ran $(printf 0.%02d $(( {i} % 13 + 1 )))
    depends_on: ['first_{i}']
    parameters: { i: '1:${JOBS / 2}' }
`

/** Processes that bear the mark of a launcher whose jobs write into this site. */
function survivors(site: Site): string[] {
  return readdirSync('/proc')
    .filter(pid => /^\d+$/.test(pid) && readMarks(Number(pid)).length > 0)
    .map(pid => readEnviron(pid))
    .filter(environ => environ.includes(`TORC_OUTPUT_DIR=${site.directory}/`))
}

function readEnviron(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}

const RUNS: [string, string, Victim[]][] = [
  ['the runner', 'native', ['runner', 'both']],
  ['the launcher', 'native', ['launcher', 'launcher', 'runner']],
  ['the server', 'native', ['server', 'server', 'runner', 'launcher', 'both']],
  ['the runner with the stand-in', 'shell', ['runner', 'runner', 'launcher']],
]

test.each(RUNS)(
  `S105 ${KILLS} kills of %s lose nothing and run nothing twice (seed ${SEED})`,
  async (_, kind, victims) => {
    const site = openSite(WORKFLOW)
    mkdirSync(site.path('ran'))
    const saboteur = createSaboteur(site, victims, createRandom(SEED), { HEADRACE_LAUNCHER: kind })
    await saboteur.start()
    for (let kills = 0; kills < KILLS; kills++) await saboteur.strike()
    const { code, stdout, stderr } = await saboteur.finish()
    expect(code, `${stdout}\n${stderr}`).toBe(0)

    expect(survivors(site)).toEqual([])
    const jobs = await site.rows<{ id: number; accepted: number; completed: number }>(`
    SELECT job.id, count(result.id) AS accepted, sum(job.status = 5 AND result.status = 5) AS completed
    FROM job LEFT JOIN result ON result.job_id = job.id AND result.superseded = 0 AND result.return_code = 0
    GROUP BY job.id`)
    expect(jobs).toHaveLength(JOBS)
    const told = jobs.filter(({ accepted, completed }) => accepted !== 1 || completed !== 1)
    expect(told, 'jobs without exactly one accepted record').toEqual([])
    expect(
      jobs.filter(({ id }) => countIn(site, id, 'twice') > 0),
      'jobs that ran twice at once',
    ).toEqual([])
    const repeated = [...saboteur.startsAtExit].filter(([id, starts]) => countIn(site, id, 'start') !== starts)
    expect(repeated, 'jobs that ran again though their exit was in the journal').toEqual([])
    expect(saboteur.startsAtExit.size).toBeGreaterThan(0)
  },
)
