import { usageError } from '../command-line/error.ts'
import { createHtcondor } from './htcondor.ts'
import { createLocal } from './local.ts'
import { createPbs } from './pbs.ts'
import { hostRuntime, type SchedulerRuntime } from './runtime.ts'
import { createSge } from './sge.ts'
import { createSlurm } from './slurm.ts'
import { SCHEDULER_NAMES, type Scheduler, type SchedulerName } from './types.ts'

const CREATE: Record<SchedulerName, (runtime: SchedulerRuntime) => Scheduler> = {
  slurm: createSlurm,
  pbs: runtime => createPbs(runtime, 'pbs'),
  torque: runtime => createPbs(runtime, 'torque'),
  sge: createSge,
  htcondor: createHtcondor,
  local: createLocal,
}

/** Finds a scheduler by what the user calls it; an unknown name is a usage error that lists the known ones. */
export function findScheduler(name: string, runtime: SchedulerRuntime = hostRuntime()): Scheduler {
  const known = SCHEDULER_NAMES.find(candidate => candidate === name)
  if (known === undefined) {
    throw usageError(`Cannot use scheduler ${name} as it is unknown: choose one of ${SCHEDULER_NAMES.join(', ')}`)
  }
  return CREATE[known](runtime)
}
