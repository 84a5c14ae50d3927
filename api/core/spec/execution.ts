import type { SpecContext } from './env.ts'
import { type EXECUTION_CONFIG, STDIO } from './keys.ts'
import { keyPlaceOf, readObject, type SpecObject } from './schema.ts'
import { type StdioSetting, toStdio } from './stdio.ts'
import type { JsonObject } from './types.ts'

type ExecutionObject = SpecObject<typeof EXECUTION_CONFIG>

export type ExecutionMode = 'direct' | 'slurm' | 'auto'

/** The mode as written; direct when nothing is. */
export function writtenMode(object: ExecutionObject | undefined): ExecutionMode {
  const mode = object?.get.mode?.value
  return mode === 'slurm' || mode === 'auto' ? mode : 'direct'
}

/** Reports every key that the mode cannot use. Auto counts as slurm in a file with Slurm schedulers. */
export function checkExecution(
  object: ExecutionObject,
  hasSchedulers: boolean,
  hasWorkerPerNode: boolean,
  { report }: SpecContext,
): void {
  const written = writtenMode(object)
  const mode = written === 'auto' ? (hasSchedulers ? 'slurm' : 'direct') : written
  const refuse = (key: keyof ExecutionObject['get'] & string, hint: string) =>
    report.error('wrong_mode', keyPlaceOf(object, key), `"${key}" does nothing with mode ${written}`, hint)
  const { get } = object
  if (mode === 'direct') {
    if (get.srun_termination_signal)
      refuse('srun_termination_signal', 'use termination_signal and sigterm_lead_seconds')
    if (get.enable_cpu_bind?.value) refuse('enable_cpu_bind', 'remove it, or use mode: slurm')
  } else {
    if (get.limit_resources?.value === false) refuse('limit_resources', 'remove it: Slurm always limits')
    if (get.termination_signal) refuse('termination_signal', 'use srun_termination_signal, such as TERM@30')
    if (get.sigterm_lead_seconds) refuse('sigterm_lead_seconds', 'use srun_termination_signal, such as TERM@30')
    if (get.oom_exit_code) refuse('oom_exit_code', 'remove it: Slurm chooses the code')
  }
  if (get.srun_mpi && !hasWorkerPerNode) {
    const message = '"srun_mpi" needs an action that has start_one_worker_per_node'
    report.error(
      'wrong_mode',
      keyPlaceOf(object, 'srun_mpi'),
      message,
      'add start_one_worker_per_node: true to the action',
    )
  }
}

const PLAIN_KEYS = [
  'sigkill_headroom_seconds',
  'timeout_exit_code',
  'staggered_start',
  'limit_resources',
  'termination_signal',
  'sigterm_lead_seconds',
  'oom_exit_code',
  'srun_termination_signal',
  'enable_cpu_bind',
  'srun_mpi',
] as const

/** The stored form: the keys that are given, and how the output of single jobs is kept. Undefined when nothing differs from the default. */
export function toExecutionConfig(
  object: ExecutionObject | undefined,
  jobOverrides: ReadonlyMap<string, StdioSetting>,
  context: SpecContext,
): JsonObject | undefined {
  const config: JsonObject = { mode: writtenMode(object) }
  for (const key of PLAIN_KEYS) {
    const node = object?.get[key]
    if (node) config[key] = node.value
  }
  if (object?.get.stdio) config.stdio = toStdio(object.get.stdio)
  const overrides = new Map([...writtenOverrides(object, context), ...jobOverrides])
  if (overrides.size > 0) config.job_stdio_overrides = Object.fromEntries(overrides)
  return Object.keys(config).length === 1 && config.mode === 'direct' ? undefined : config
}

function writtenOverrides(object: ExecutionObject | undefined, { report }: SpecContext): [string, StdioSetting][] {
  const map = object?.get.job_stdio_overrides
  if (!object || !map) return []
  return map.entries.flatMap(({ key, value }): [string, StdioSetting][] => {
    const setting = readObject(STDIO, value, `${object.path}.job_stdio_overrides.${key}`, report)
    return setting ? [[key, toStdio(setting)]] : []
  })
}
