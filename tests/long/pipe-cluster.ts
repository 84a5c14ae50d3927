import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { openFile } from '../../db/open-file.ts'
import { all } from '../../db/unit.ts'
import { assertInvariants } from '../helpers/invariants.ts'
import type { RealScheduler } from '../helpers/real-schedulers.ts'
import { startServer } from '../scenarios-runner/server.ts'
import { openSite, type Running, type Site } from '../scenarios-runner/site.ts'

/** A pipe run over a real scheduler: a server, a workflow, and the command that looks after the run. */
export type PipeOnCluster = {
  site: Site
  url: string
  following: Running
  /** The run as the control plane has it now. */
  run(): Promise<WireRun>
  /** Waits until that many jobs have ended. */
  untilEnded(jobs: number): Promise<void>
  /** The id of the newest array that the scheduler has acknowledged. */
  arrayId(): Promise<string>
  /** Waits for the end of the command; stops the server, checks the database, and gives the results. */
  finish(): Promise<{ code: number | null; run: WireRun; results: ResultRow[] }>
}

export type WireRun = {
  state: string
  members: { total: number; by_status: Record<string, number> }
  live_runners: number
  submissions: { state: string; scheduler_id?: string; width: number; reason: string; has_registered: boolean }[]
}

export type ResultRow = {
  job_id: number
  attempt_id: number
  status: string
  return_code: number
  failure_class: string | null
  superseded: number
  launched_at: number
  exited_at: number
}

const RUN_WITHIN_MS = 600_000

/** Looks until something is so; throws with what was seen last. */
export async function until<T>(what: string, look: () => Promise<T> | T, isTrue: (seen: T) => boolean): Promise<T> {
  const endAt = Date.now() + RUN_WITHIN_MS
  for (;;) {
    const seen = await look()
    if (isTrue(seen)) return seen
    if (Date.now() > endAt) throw new Error(`Waited in vain until ${what}: ${JSON.stringify(seen)}`)
    await sleep(200)
  }
}

/** Starts a server and `runner pipe` over the scheduler. */
export async function startPipe(
  real: RealScheduler,
  workflow: string,
  options: readonly string[],
): Promise<PipeOnCluster> {
  const site = openSite(workflow)
  const { server, url } = await startServer(site)
  const words = ['pipe', 'workflow.yaml', '--scheduler', real.kind, '--url', url, '--poll-interval', '1s', ...options]
  const following = site.start(words, real.env)
  const run = async (): Promise<WireRun> => {
    const reply = await fetch(`${url}/v1/pipe_runs/1`)
    return (await reply.json()) as WireRun
  }
  const ended = ({ members }: WireRun): number =>
    ['completed', 'failed', 'terminated', 'canceled'].reduce((sum, word) => sum + (members?.by_status[word] ?? 0), 0)

  return {
    site,
    url,
    following,
    run,
    async untilEnded(jobs) {
      await until(`${jobs} jobs have ended`, run, seen => ended(seen) >= jobs || following.hasEnded())
    },
    async arrayId() {
      const known = ({ submissions }: WireRun) => submissions?.findLast(one => one.scheduler_id !== undefined)
      return known(await until('an array is known', run, seen => known(seen) !== undefined))!.scheduler_id!
    },
    async finish() {
      const { code, stderr } = await following.ended
      // Elements that wait for a server that is gone would stay.
      await until(
        'nothing is left in the queue',
        () => listed(real),
        left => left.length === 0,
      )
      const last = await run()
      server.child.kill('SIGINT')
      await server.ended
      const db = openFile(site.path('headrace_output/headrace.db'))
      try {
        await assertInvariants(db, stderr)
        const results = await db.read(() =>
          all<ResultRow>(
            `SELECT job_id, attempt_id, CASE status WHEN 5 THEN 'completed' WHEN 6 THEN 'failed' WHEN 8 THEN 'terminated' ELSE status END AS status,
               return_code, failure_class, superseded, launched_at, exited_at FROM result ORDER BY job_id, attempt_id`,
          ),
        )
        return { code, run: last, results }
      } finally {
        await db.close()
      }
    },
  }
}

/** Each job has ended once with success, whatever was tried before. */
export function expectAllCompletedOnce(results: readonly ResultRow[], jobs: number): void {
  const completed = results.filter(row => row.status === 'completed' && row.superseded === 0)
  expect(completed).toHaveLength(jobs)
  expect(new Set(completed.map(row => row.job_id)).size).toBe(jobs)
}

/** Ids that the scheduler still lists, of this user. */
export function listed({ kind, env }: RealScheduler): string[] {
  const text =
    kind === 'slurm'
      ? execFileSync('squeue', ['-h', '-o', '%F %T'], { env, encoding: 'utf8' })
      : execFileSync('qstat', [], { env, encoding: 'utf8' })
  return text.split('\n').filter(line => line.trim() !== '')
}

/** Elements that Slurm believes to run on a node. */
export const runningOn = ({ env }: RealScheduler, node: string): string[] =>
  execFileSync('squeue', ['-h', '-r', '-t', 'RUNNING', '-w', node, '-o', '%F_%K'], { env, encoding: 'utf8' })
    .split('\n')
    .filter(line => line !== '')

/** Runs a client program of the scheduler; throws its words when it fails. */
export const tell = ({ env }: RealScheduler, command: string, ...args: string[]): void =>
  void execFileSync(command, args, { env, encoding: 'utf8' })

/** Kills the runner of one element as a fault would: with no word to anybody. */
export function killElement(worker: number): void {
  const pid = elementPids(worker)[0]
  if (pid === undefined) throw new Error(`No runner of element ${worker} runs`)
  process.kill(pid, 'SIGKILL')
}

/** The runners of an element, by what their environment and command line say. */
export function elementPids(worker: number): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      const words = read(`/proc/${pid}/cmdline`).split('\0')
      return words.includes('work') && read(`/proc/${pid}/environ`).includes(`\0HEADRACE_WORKER=${worker}\0`)
    })
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
