import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const SCRIPTS = new URL('../hpc', import.meta.url).pathname
/** The first start installs packages. */
const START_MS = 400_000
const STOP_MS = 120_000
const CLIENT_MS = 30_000
const LOOK_MS = 200

/** How a user's jobs are cancelled, and listed with no line of heading. */
const OWN_JOBS: Record<'slurm' | 'sge', [cancel: string[], list: string[]]> = {
  slurm: [
    ['scancel', '-u', userInfo().username],
    ['squeue', '-u', userInfo().username, '--noheader'],
  ],
  sge: [
    ['qdel', '-u', userInfo().username],
    ['qstat', '-u', userInfo().username],
  ],
}

/** A Slurm or Grid Engine of a test's own on this machine (tests/hpc has what starts it and says what it needs). */
export type RealScheduler = {
  kind: 'slurm' | 'sge'
  /** Environment of its client programs; hand it to hostRuntime or to a child process. */
  env: NodeJS.ProcessEnv
  directory: string
  /** Starts what is missing, such as a daemon that was killed; ids and ports stay. */
  startAgain(): void
  /** Process id of a daemon: slurmctld, slurmd-n1, slurmd-n2; qmaster. */
  daemon(name: string): number
  /** Cancels what is left of this user and waits until nothing of it runs, so that its files can go. */
  clear(): Promise<void>
  /** Cancels, stops and removes everything. */
  stop(): void
}

/**
 * Starts a scheduler in a new directory: two nodes of 8 CPUs and 2 GPUs, or one queue of 8 slots and 2 GPUs. Needs root and apt the
 * first time; throws its words when it does not come up. `settings` are the variables that the script's head names, such as HPC_NODES.
 */
export function startReal(kind: 'slurm' | 'sge', settings: Record<string, string> = {}): RealScheduler {
  const directory = mkdtempSync(join(tmpdir(), `hr-${kind}-`))
  const up = join(SCRIPTS, `${kind}-up`)
  const env: NodeJS.ProcessEnv = { ...process.env, ...settings }
  const start = (): string =>
    execFileSync(
      'bash',
      ['-c', 'exports=$("$1" "$2") || exit 1; eval "$exports"; exec env -0', 'bash', up, directory],
      {
        env,
        encoding: 'utf8',
        timeout: START_MS,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
  const entries = start()
    .split('\0')
    .filter(entry => entry !== '')
    .map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)])
  const clients = Object.fromEntries(entries)
  return {
    kind,
    directory,
    env: clients,
    startAgain: () => void start(),
    daemon(name) {
      const file = kind === 'slurm' ? `run/${name}.pid` : `spool/${name}/${name}.pid`
      return Number(readFileSync(join(directory, file), 'utf8'))
    },
    async clear() {
      const [cancel, list] = OWN_JOBS[kind]
      spawnSync(cancel[0]!, cancel.slice(1), { env: clients, timeout: CLIENT_MS })
      for (let waitedMs = 0; ; waitedMs += LOOK_MS) {
        if (execFileSync(list[0]!, list.slice(1), { env: clients, timeout: CLIENT_MS, encoding: 'utf8' }) === '') return
        if (waitedMs > STOP_MS) throw new Error(`Waited in vain for the end of all jobs of ${kind}`)
        await sleep(LOOK_MS)
      }
    },
    stop() {
      spawnSync(join(SCRIPTS, `${kind}-down`), [directory, '--purge'], { timeout: STOP_MS, stdio: 'inherit' })
    },
  }
}
