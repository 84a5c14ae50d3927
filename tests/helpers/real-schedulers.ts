import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SCRIPTS = new URL('../hpc', import.meta.url).pathname
/** The first start installs packages. */
const START_MS = 400_000
const STOP_MS = 120_000

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
  return {
    kind,
    directory,
    env: Object.fromEntries(entries),
    startAgain: () => void start(),
    daemon(name) {
      const file = kind === 'slurm' ? `run/${name}.pid` : `spool/${name}/${name}.pid`
      return Number(readFileSync(join(directory, file), 'utf8'))
    },
    stop() {
      spawnSync(join(SCRIPTS, `${kind}-down`), [directory, '--purge'], { timeout: STOP_MS, stdio: 'inherit' })
    },
  }
}
