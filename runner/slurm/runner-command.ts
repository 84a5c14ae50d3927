import { realpathSync } from 'node:fs'
import { usageError } from '../command-line/error.ts'
import { shellWord } from '../schedulers/script.ts'

/** What a runner in an allocation is told. */
export type RunnerWords = {
  workflowId: number
  url: string
  /** Absolute. */
  outputDir: string
  schedulerConfigId: number
  caCert?: string
  maxParallelJobs?: number
  leaseSeconds?: number
}

/** Most site's words are one: `MPI` kinds of srun. */
const MPI_KIND = /^[A-Za-z0-9+_.-]+$/

/** The command line of a runner on a compute node, as a line of shell: this very program, which the nodes see under the same path. */
export function runnerCommand(words: RunnerWords, program: readonly string[] = thisProgram()): string {
  const { maxParallelJobs, leaseSeconds, caCert } = words
  return [
    ...program,
    'run',
    String(words.workflowId),
    '--url',
    words.url,
    '--output-dir',
    words.outputDir,
    '--scheduler-config-id',
    String(words.schedulerConfigId),
    ...(maxParallelJobs === undefined ? [] : ['--max-parallel-jobs', String(maxParallelJobs)]),
    ...(leaseSeconds === undefined ? [] : ['--lease', `${leaseSeconds}s`]),
    ...(caCert === undefined ? [] : ['--ca-cert', caCert]),
  ]
    .map(shellWord)
    .join(' ')
}

/** Links are followed: a command in node_modules/.bin may be called otherwise on the nodes. */
const thisProgram = (): string[] => [process.execPath, realpathSync(process.argv[1]!)]

/** Throws a usage error for a kind of MPI that would be read as something else. */
export function checkMpi(kind: string | undefined): string | undefined {
  if (kind === undefined || MPI_KIND.test(kind)) return kind
  throw usageError(`Cannot use the kind of MPI as it must be one word: execution_config.srun_mpi is ${kind}`)
}
