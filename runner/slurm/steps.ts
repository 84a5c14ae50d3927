import type { ExecutionConfig } from '../execution-settings.ts'
import type { Ended } from '../job-threads/finalisers.ts'
import type { LauncherEvents } from '../launcher/types.ts'
import type { OpenLauncher } from '../monitor/watch.ts'
import { insideSlurm } from '../schedulers/slurm/inside.ts'
import type { ClaimedJob } from '../wire.ts'
import { endOfStep } from './step-end.ts'
import { stepName } from './step-name.ts'

/** How the jobs of a runner use the nodes of its Slurm allocation. */
export type Steps = {
  /** Nodes that a job may have. */
  nodes: number
  /** Where jobs run as steps: Slurm's number of the allocation, and the names of the steps that have ended and that it keeps accounts of. */
  accounts?: { allocation: string; steps: ReadonlySet<string> }
  /** The program that runs a job: what it was, or srun with it. */
  argvOf(job: ClaimedJob, attempt: { runId: number }, argv: readonly [string, ...string[]]): [string, ...string[]]
  /** Told of each end; returns what is known of it. */
  endOf(ended: Ended): Ended
  /** The launcher, which must not take what srun itself uses for what a job does. */
  launcher(open: OpenLauncher): OpenLauncher
}

const MIB = 2 ** 20
const MINUTE_MS = 60_000

export type StepsOptions = {
  config: ExecutionConfig
  env: NodeJS.ProcessEnv
  /** When what is left of the jobs is killed, epoch milliseconds; absent = never. */
  killAtMs: number | undefined
  clock(): number
}

/**
 * Says how jobs run in the Slurm allocation of this runner; undefined outside of Slurm. Where each node has a runner of its own, and with
 * `mode: direct`, commands are left alone: those of several nodes bring their own launcher (spec-format.md 26.8).
 */
export function createSteps({ config, env, killAtMs, clock }: StepsOptions): Steps | undefined {
  const inside = insideSlurm({ env })
  if (inside === undefined) return undefined
  const isOneOfMany = env.SLURM_STEP_ID !== undefined && inside.nodeRank !== undefined
  const nodes = isOneOfMany ? 1 : inside.nodes
  // `auto` is decided here: this is Slurm.
  const isDirect = isOneOfMany || config.mode === undefined || config.mode === 'direct'
  if (isDirect)
    return { nodes, argvOf: (_job, _attempt, argv) => [...argv], endOf: ended => ended, launcher: open => open }
  const ended = new Set<string>()
  return {
    nodes,
    accounts: { allocation: inside.id, steps: ended },
    launcher: withoutUsage,
    endOf(one) {
      // One whose srun never started has no step.
      if (one.end.error === undefined) ended.add(stepName(one.attempt))
      return endOfStep(one)
    },
    argvOf(job, { runId }, argv) {
      const name = stepName({ jobId: job.id, runId, attemptId: job.attempt_id })
      const minutesLeft = killAtMs === undefined ? undefined : Math.max(1, Math.floor((killAtMs - clock()) / MINUTE_MS))
      return [...srunWords(job, name, config, { minutesLeft, firstNode: inside.nodeNames[0] }), ...argv]
    },
  }
}

type Circumstances = { minutesLeft: number | undefined; firstNode: string | undefined }

/**
 * The step of one job (spec-format.md 11.2): as many tasks as it has nodes, one on each, with exactly what it asked for, so that steps run
 * side by side. The runner keeps the books of the first node, so jobs of one node run there.
 */
function srunWords(
  { resource_requirements: set }: ClaimedJob,
  name: string,
  config: ExecutionConfig,
  { minutesLeft, firstNode }: Circumstances,
): [string, ...string[]] {
  const nodes = set.num_nodes ?? 1
  return [
    'srun',
    `--job-name=${name}`,
    `--nodes=${nodes}`,
    `--ntasks=${nodes}`,
    '--ntasks-per-node=1',
    `--cpus-per-task=${set.num_cpus}`,
    `--mem=${Math.max(1, Math.ceil(set.memory_bytes / MIB))}M`,
    `--gres=${set.num_gpus > 0 ? `gpu:${set.num_gpus}` : 'none'}`,
    '--exact',
    '--kill-on-bad-exit=1',
    ...(nodes === 1 && firstNode !== undefined ? [`--nodelist=${firstNode}`] : []),
    ...(minutesLeft === undefined ? [] : [`--time=${minutesLeft}`]),
    ...(config.srun_termination_signal === undefined ? [] : [`--signal=${config.srun_termination_signal}`]),
    ...(config.enable_cpu_bind ? [] : ['--cpu-bind=none']),
    ...(config.srun_mpi === undefined ? [] : [`--mpi=${config.srun_mpi}`]),
    '--',
  ]
}

/**
 * srun waits while others work: its memory says nothing of the job, and is not held against what the job asked for. Slurm limits its steps
 * and keeps their accounts (`runner slurm usage`).
 */
function withoutUsage(open: OpenLauncher): OpenLauncher {
  return async (events: LauncherEvents) => {
    const launcher = await open({
      ...events,
      onExited: exited =>
        events.onExited(exited.map(one => ({ ...one, peakMemoryBytes: undefined, measured: undefined }))),
    })
    return {
      kind: launcher.kind,
      launch: ({ job, ...request }) =>
        launcher.launch({ ...request, job: job && { ...job, memoryLimitBytes: undefined, runsElsewhere: true } }),
      signal: (tag, signal) => launcher.signal(tag, signal),
      recall: (tag, onAnswer) => launcher.recall(tag, onAnswer),
      close: options => launcher.close(options),
    }
  }
}
