import { shellWord } from '../schedulers/script.ts'
import type { SiteLines } from '../schedulers/types.ts'

/** A script that starts the runner of an allocation, or one on each of its nodes. */
export type AllocationScript = {
  directives: readonly string[]
  /** The runner with its options, as a line of shell. */
  command: string
  /** Where it starts: relative paths of jobs count from here. */
  cwd: string
  nodes: number
  /** Start one runner on each node. */
  perNode: boolean
  /** The kind of MPI that Slurm is to prepare for where each node has a runner (execution_config.srun_mpi). */
  mpi?: string
  environment: Readonly<Record<string, string>>
  /** Lines of `export`, read first: what must not stand in a script, which others may be able to read. */
  environmentFile?: string
  site?: SiteLines
}

/** Renders the script for sbatch. */
export function renderAllocationScript(script: AllocationScript): string {
  const { directives, environment, environmentFile, site, cwd, command } = script
  return `${[
    '#!/bin/bash',
    ...directives.map(line => `#SBATCH ${line}`),
    '',
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    'export HEADRACE_ALLOCATION_STARTED="$(date +%s)"',
    ...(environmentFile === undefined ? [] : [`. ${shellWord(environmentFile)} || exit 1`]),
    ...(site?.prologue ?? []),
    `cd ${shellWord(cwd)} || exit 1`,
    // The runner takes the shell's place, so that Slurm's signals reach it.
    `exec ${script.perNode ? onEachNode(script, command) : command} </dev/null`,
  ].join('\n')}\n`
}

/** Tells the runners of an allocation apart where they share a directory. */
const WORKER = 'export HEADRACE_WORKER=$((SLURM_PROCID + 1)); exec '

/**
 * The step that puts a runner on every node. The cores are said again, since steps have not inherited them since Slurm 22.05. One
 * runner that leaves or dies takes no other along, and steps of the jobs may share what this one has.
 */
function onEachNode({ nodes, mpi }: AllocationScript, command: string): string {
  const words = [
    'srun',
    `--nodes=${nodes}`,
    `--ntasks=${nodes}`,
    '--ntasks-per-node=1',
    '--cpus-per-task="$SLURM_CPUS_ON_NODE"',
    '--mem=0',
    '--overlap',
    '--cpu-bind=none',
    '--kill-on-bad-exit=0',
    '--wait=0',
    ...(mpi === undefined ? [] : [`--mpi=${mpi}`]),
    '/bin/bash',
    '-c',
    shellWord(WORKER + command),
  ]
  return words.join(' ')
}
