import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseLabel } from '../../runner/launch-label.ts'
import { readJournal } from '../../runner/launcher/journal.ts'
import { signalProcess } from '../../runner/launcher/processes.ts'
import { isGone } from '../launcher/harness.ts'
import { startServer } from '../scenarios-runner/server.ts'
import type { Ended, Running, Site } from '../scenarios-runner/site.ts'

export type Victim = 'runner' | 'launcher' | 'both' | 'server'

/** Any start takes less, on a busy machine too, so that kills hit start-up, recovery and work alike. */
const LONGEST_PAUSE_MS = 800

/** Runs a site's workflow and kills what takes part in it. */
export type Saboteur = {
  /** Starts the server, when there is one, and the runner. */
  start(): Promise<void>
  /** Lets them work for a random time, kills one of the victims, and starts it again. Throws when the runner has ended before. */
  strike(): Promise<void>
  /** Waits for the runner's own end and gives its exit code and all it wrote; the server ends too. */
  finish(): Promise<Ended>
  /** By job id: how often a job had started when its exit stood in the journal. It may not start again. */
  readonly startsAtExit: ReadonlyMap<number, number>
}

/** How often a job of run-alone.sh has written a word. */
export function countIn(site: Site, jobId: number, word: string): number {
  const log = site.path(`ran/${jobId}.log`)
  if (!existsSync(log)) return 0
  return readFileSync(log, 'utf8')
    .split('\n')
    .filter(line => line.startsWith(`${word} `)).length
}

export function createSaboteur(
  site: Site,
  victims: readonly Victim[],
  random: () => number,
  env: NodeJS.ProcessEnv,
): Saboteur {
  const startsAtExit = new Map<number, number>()
  let server: Running | undefined
  let url: string | undefined
  let runner: Running

  async function serve(): Promise<void> {
    const port = url === undefined ? '0' : new URL(url).port
    const started = await startServer(site, { port, env })
    server = started.server
    url = started.url
  }

  function startRunner(): void {
    const where = url === undefined ? [] : ['--url', url]
    runner = site.start(['run', 'workflow.yaml', '-j', '4', ...where], env)
  }

  /** What stands in the journal before a kill may not run again. */
  function noteExits(): void {
    for (const { label, exit, cut } of readJournal(site.journal).launches) {
      const jobId = parseLabel(label)?.jobId
      if (jobId === undefined || exit?.code !== 0 || cut || startsAtExit.has(jobId)) continue
      startsAtExit.set(jobId, countIn(site, jobId, 'start'))
    }
  }

  /** False when there is none at the moment. */
  function killLauncher(): boolean {
    const open = readJournal(site.journal).lives.filter(life => !life.closed && !isGone(life.pid))
    for (const { pid } of open) signalProcess(pid, 'SIGKILL')
    return open.length > 0
  }

  async function kill(program: Running): Promise<void> {
    program.child.kill('SIGKILL')
    await program.ended
  }

  return {
    startsAtExit,
    async start() {
      if (victims.includes('server')) await serve()
      startRunner()
    },
    async strike() {
      await sleep(random() * LONGEST_PAUSE_MS)
      if (runner.hasEnded()) throw new Error(`The runner ended by itself: ${JSON.stringify(await runner.ended)}`)
      const victim = victims[Math.floor(random() * victims.length)]!
      noteExits()
      if (victim === 'server') {
        await kill(server!)
        await serve()
        return
      }
      const launcherDied = victim !== 'runner' && killLauncher()
      if (victim === 'launcher' && launcherDied) return
      await kill(runner)
      startRunner()
    },
    async finish() {
      const ended = await runner.ended
      server?.child.kill('SIGTERM')
      await server?.ended
      return ended
    },
  }
}
