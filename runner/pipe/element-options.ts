import { workingSeconds } from '../../api/core/pipe/element.ts'
import type { ServerAddress } from '../client/server-address.ts'
import { parseRunSettings, type RunOptions } from '../run-options.ts'
import type { PipeRun } from './wire.ts'

/** How an element runs: what was frozen with its run, and else the usual values of this version. No setting of its node has a say. */
export function elementOptions(run: PipeRun, address: ServerAddress): RunOptions {
  const { key, spec } = run
  const usual = parseRunSettings({}, {}, spec.cwd)
  return {
    ...usual,
    target: { kind: 'workflow', id: run.workflow_id },
    controlPlane: { kind: 'server', address },
    outputDir: spec.output_dir,
    durability: spec.durability,
    capacity: {
      cpus: key.num_cpus * spec.slots,
      memoryBytes: key.memory * spec.slots,
      gpus: key.num_gpus * spec.slots,
      // What the scheduler granted counts, whatever this process sees of the machine.
      overcommit: true,
    },
    timeLimitSeconds: workingSeconds(run.walltime_seconds),
    idleExitSeconds: spec.idle_exit_seconds,
    leaseSeconds: spec.lease_seconds ?? usual.leaseSeconds,
    schedulerConfigId: key.scheduler_id ?? undefined,
    labels: key.labels === '' ? [] : key.labels.split(','),
    known: 'continue',
  }
}
