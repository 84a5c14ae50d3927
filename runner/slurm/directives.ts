import type { Json, JsonObject } from '../../api/core/spec/types.ts'
import { cannotRun } from '../command-line/error.ts'
import type { SlurmScheduler } from './rows.ts'

/** What the scheduler's own fields say, by option. */
type Options = readonly (readonly [name: string, value: string | number | undefined])[]

/** Where an allocation's output goes, and how it is called in the queue. */
export type Submission = { name: string; output: string; error: string }

/** Options of one letter that slurm_defaults may use for one that a scheduler sets. */
const SHORT: Readonly<Record<string, string>> = {
  A: 'account',
  q: 'qos',
  N: 'nodes',
  J: 'job-name',
  o: 'output',
  e: 'error',
}

/**
 * The options of an allocation, without `#SBATCH` (spec-format.md 9): those of the scheduler, what slurm_defaults adds to them, the chain
 * of serialized allocations, the scheduler's `extra` as it is written, which may beat all before it, and the site's lines.
 */
export function directivesOf(
  scheduler: SlurmScheduler,
  defaults: JsonObject,
  submission: Submission,
  siteDirectives: readonly string[] = [],
): string[] {
  const own: Options = [
    ['job-name', submission.name],
    ['account', scheduler.account || undefined],
    ['partition', scheduler.partition],
    ['qos', scheduler.qos],
    ['nodes', scheduler.nodes],
    ['ntasks-per-node', scheduler.ntasks_per_node],
    ['time', scheduler.walltime],
    ['mem', scheduler.mem],
    ['gres', scheduler.gres],
    ['tmp', scheduler.tmp],
    ['output', submission.output],
    ['error', submission.error],
    // A requeued allocation goes on in its file.
    ['open-mode', Object.keys(defaults).some(key => nameOf(key) === 'open-mode') ? undefined : 'append'],
    ['dependency', scheduler.serialize_allocations ? 'singleton' : undefined],
  ]
  const given = own.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, value] as const]))
  const taken = new Set(given.map(([name]) => name))
  const added = Object.entries(defaults).flatMap(([key, value]) => defaultOption(key, value, taken))
  const extra = scheduler.extra?.trim()
  const lines = [
    ...given.map(([name, value]) => option(name, value)),
    ...added,
    ...(extra ? [extra] : []),
    ...siteDirectives,
  ]
  const broken = lines.find(line => /[\r\n\0]/.test(line))
  if (broken !== undefined) {
    throw cannotRun(`Cannot write a script for Slurm as an option goes over several lines: ${JSON.stringify(broken)}`)
  }
  return lines
}

const nameOf = (key: string): string => SHORT[key] ?? key.replaceAll('_', '-')

/** Torc writes `--exclusive=true`, which sbatch refuses: true is the bare option, false is nothing. */
function defaultOption(key: string, value: Json, taken: ReadonlySet<string>): string[] {
  const name = nameOf(key)
  if (taken.has(name) || value === false || value === null || typeof value === 'object') return []
  return [value === true ? `--${name}` : option(name, value)]
}

/** sbatch reads quotes in its lines as a shell does. */
function option(name: string, value: string | number): string {
  const text = String(value)
  return /[\s#'"\\]/.test(text) && !/^(['"]).*\1$/.test(text)
    ? `--${name}="${text.replace(/["\\]/g, '\\$&')}"`
    : `--${name}=${text}`
}
