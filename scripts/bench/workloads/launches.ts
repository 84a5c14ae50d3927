import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../process.ts'
import { type Bound, type Setting, WrongResult } from '../types.ts'

export const MPIEXEC = 'mpiexec'
/** On a busy machine it dies of a broken pipe now and then (MPICH 4.0): its launches count all the same. */
export const MPI_LAUNCH = `${MPIEXEC} -n 1 /bin/true || :`
export const NATIVE = 'hr-exec'

/** A client, and what share of mpiexec's wall and CPU time it may take (performance.md). */
export type ClientKind = { name: string; client: string; launcher: string; wall: Bound; cpu?: Bound }

const KINDS: readonly ClientKind[] = [
  { name: NATIVE, client: 'hr-exec', launcher: 'native', wall: { most: 0.5 }, cpu: { most: 0.3 } },
  { name: 'hr-exec stand-in', client: 'hr-exec.sh', launcher: 'shell', wall: { most: 0.9 } },
]

/** The clients that this build has. */
export const clientsHere = ({ bundle }: Setting): ClientKind[] =>
  KINDS.filter(({ launcher }) => launcher !== 'native' || existsSync(join(bundle, 'dist/headrace-gate')))

/** Lines for what cannot be measured here. */
export const missingRows = (kinds: readonly ClientKind[], mpiexec: boolean): string[] => [
  ...(kinds.some(({ name }) => name === NATIVE) ? [] : ['no rows for the native client: it could not be built']),
  ...(mpiexec ? [] : ['no rows for mpiexec: it is not installed (Debian: mpich)']),
]

/** What launches once by one of our clients. */
export const launchBy = (client: string, cores = 1): string => `${client} -n 1 -c ${cores} /bin/true || exit 1`

/** Milliseconds of each launch, of wall time and of CPU time of all that the launcher started, one after another by a small shell. */
export async function timeLaunches(
  directory: string,
  launch: string,
  count: number,
  env?: NodeJS.ProcessEnv,
): Promise<{ wall: number; CPU: number }> {
  const script = `i=0; while [ $i -lt ${count} ]; do ${launch}; i=$((i+1)); done; times`
  const { wallSeconds, stdout } = await run('sh', ['-c', script], { cwd: directory, env })
  // First the shell's own user and system time, then that of all it started.
  const [, , user, system] = [...stdout.matchAll(/(\d+)m([\d.]+)s/g)].map(
    time => 60 * Number(time[1]) + Number(time[2]),
  )
  if (user === undefined || system === undefined) throw new WrongResult(`The shell told no CPU times: ${stdout}`)
  return { wall: (wallSeconds / count) * 1000, CPU: ((user + system) / count) * 1000 }
}
