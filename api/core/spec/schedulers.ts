import { toJson } from './data-json.ts'
import type { SpecContext } from './env.ts'
import type { SLURM_SCHEDULER } from './keys.ts'
import { dropUnnamed, readNamed } from './named.ts'
import { joinPath, placeOf, reportDuplicateKeys, type SpecObject } from './schema.ts'
import { parseSlurmMemory, parseWalltime } from './slurm-text.ts'
import type { MapNode } from './tree.ts'
import { kindWord } from './tree.ts'
import type { ExpandedSlurmScheduler, Json, JsonObject } from './types.ts'

type SchedulerObject = SpecObject<typeof SLURM_SCHEDULER>

const DEFAULT_WALLTIME = '01:00:00'

/** Reads the Slurm schedulers and checks what only Slurm would find out. */
export function readSchedulers(objects: readonly SchedulerObject[], context: SpecContext) {
  const named = dropUnnamed(objects, context)
  for (const object of named) checkScheduler(object, context)
  return readNamed(named, 'scheduler', toScheduler, context)
}

function checkScheduler(object: SchedulerObject, { report }: SpecContext): void {
  const { walltime, mem, extra, serialize_allocations: serialize } = object.get
  if (walltime && parseWalltime(walltime.value) === undefined) {
    report.error(
      'bad_value',
      placeOf(object, 'walltime'),
      `"${walltime.value}" is no walltime`,
      'MM, MM:SS, HH:MM:SS or D-HH:MM:SS',
    )
  }
  if (mem && parseSlurmMemory(mem.value) === undefined) {
    report.error(
      'bad_value',
      placeOf(object, 'mem'),
      `"${mem.value}" is no memory size`,
      'digits and an optional unit k, m, g or t, such as 180g',
    )
  }
  if (serialize?.value && extra && /--dependency|(?:^|\s)-d\b/.test(extra.value)) {
    report.warn('chain_override', placeOf(object, 'extra'), 'the dependency in extra beats serialize_allocations')
  }
}

function toScheduler({ get }: SchedulerObject, name: string): ExpandedSlurmScheduler {
  return {
    name,
    account: get.account?.value ?? '',
    partition: get.partition?.value,
    qos: get.qos?.value,
    gres: get.gres?.value,
    mem: get.mem?.value,
    tmp: get.tmp?.value,
    extra: get.extra?.value,
    nodes: get.nodes?.value ?? 1,
    ntasksPerNode: get.ntasks_per_node?.value,
    walltime: get.walltime?.value ?? DEFAULT_WALLTIME,
    serializeAllocations: get.serialize_allocations?.value ?? false,
  }
}

/** These decide how a job fits, so they belong to a scheduler, where they are checked. */
const EXCLUDED_OPTIONS = ['partition', 'nodes', 'walltime', 'time', 'mem', 'gres', 'name', 'job-name']

/** Reads the options for all schedulers of the workflow; undefined when none is left. */
export function readSlurmDefaults(node: MapNode | undefined, { report }: SpecContext): JsonObject | undefined {
  if (!node) return undefined
  const options: [string, Json][] = []
  reportDuplicateKeys(node, 'slurm_defaults', report)
  for (const { key, keyAt, value } of node.entries) {
    const path = joinPath('slurm_defaults', key)
    if (EXCLUDED_OPTIONS.includes(key.toLowerCase().replaceAll('_', '-'))) {
      report.error('excluded_key', { at: keyAt, path }, `"${key}" cannot be a default`, 'set it on a scheduler')
    } else if (value.kind === 'null' || value.kind === 'list' || value.kind === 'map') {
      report.warn(
        'skipped_default',
        { at: value.at, path },
        `"${key}" is left out, as ${kindWord(value)} is no value of an option`,
      )
    } else options.push([key, toJson(value)])
  }
  return options.length > 0 ? Object.fromEntries(options) : undefined
}
