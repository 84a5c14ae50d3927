import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { shellWord } from '../schedulers/script.ts'
import type { AllocationRequest } from '../schedulers/types.ts'
import type { PlanConfig } from './config.ts'
import type { WantedRequest } from './types.ts'

/** What a runner itself needs beside its jobs, where the user has not said how much a node is to be asked for. */
const RUNNER_BYTES = 2 ** 29
/** Grid Engine's limits count address space, of which Node reserves more than it uses (hpc.md 3.3). */
const RUNNER_ADDRESS_BYTES = 2 ** 31

/** The folder of one request: its script, its access file, and what its elements print. */
export const directoryOf = (config: PlanConfig, name: string): string => join(config.output_dir, 'allocations', name)

/** Memory to ask a node for, so that `bytes` are left for jobs. */
export function memoryFor(bytes: number, config: PlanConfig): number {
  if (config.memory_bytes !== undefined) return config.memory_bytes
  return bytes + (config.scheduler === 'sge' ? RUNNER_ADDRESS_BYTES : RUNNER_BYTES)
}

/** Turns a decision into a submission: elements that are all the same runner, each of which leaves when it finds nothing to do. */
export function requestFor(
  name: string,
  queue: string,
  wanted: WantedRequest,
  config: PlanConfig,
  workflowId: number,
  environmentFile: string | undefined,
): AllocationRequest {
  return {
    name,
    directory: directoryOf(config, name),
    cwd: config.cwd,
    command: runnerCommand(config, workflowId),
    nodes: wanted.nodes,
    cores: wanted.offer.cpus,
    memoryBytes: memoryFor(wanted.offer.memoryBytes, config),
    gpus: wanted.offer.gpus,
    walltimeSeconds: wanted.walltimeSeconds,
    array: wanted.width === 1 ? undefined : { first: 1, last: wanted.width },
    perNode: false,
    queue: queue === '' ? undefined : queue,
    account: config.account,
    qos: config.qos,
    reservation: config.reservation,
    environmentFile,
    site: {
      prologue: config.prologue,
      directives: config.directives,
      parallelEnvironment: config.parallel_environment,
      memoryComplex: config.memory_complex,
    },
  }
}

/** This very program, which the nodes see under the same path. */
function runnerCommand(config: PlanConfig, workflowId: number): string {
  return [
    process.execPath,
    realpathSync(process.argv[1]!),
    'run',
    String(workflowId),
    '--url',
    config.url,
    '--output-dir',
    config.output_dir,
    '--idle-exit',
    `${config.idle_exit_seconds}s`,
    ...(config.lease_seconds === undefined ? [] : ['--lease', `${config.lease_seconds}s`]),
    ...(config.ca_cert === undefined ? [] : ['--ca-cert', config.ca_cert]),
    ...(config.scheduler_config_id === undefined ? [] : ['--scheduler-config-id', String(config.scheduler_config_id)]),
    ...config.labels.flatMap(label => ['--label', label]),
  ]
    .map(shellWord)
    .join(' ')
}
