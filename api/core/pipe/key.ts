/**
 * What makes jobs alike enough to share one array of a batch scheduler (hpc.md 4). The fields have the wire's names and stand in the
 * order in which a difference is told.
 */
export type PipeKey = {
  num_cpus: number
  /** Bytes. */
  memory: number
  num_gpus: number
  num_nodes: number
  /** The walltime class. */
  runtime: RuntimeClass
  scheduler_id: number | null
  /** What prepares the environment of a job: modules, a container. */
  invocation_script: string | null
  /** Sorted, joined with commas. */
  labels: string
  family: string
  tags: Readonly<Record<string, string>>
}

const HOUR = 3600

/** Jobs whose estimates lie in one of these stretches may share an array: a wall time that fits the longest wastes little on the others. */
const RUNTIME_CLASSES = [
  { name: 'up to 10 min', seconds: HOUR / 6 },
  { name: 'up to 1 h', seconds: HOUR },
  { name: 'up to 4 h', seconds: 4 * HOUR },
  { name: 'up to 1 d', seconds: 24 * HOUR },
  { name: 'over 1 d', seconds: Number.POSITIVE_INFINITY },
] as const

export type RuntimeClass = (typeof RUNTIME_CLASSES)[number]['name']

export const runtimeClass = (seconds: number): RuntimeClass =>
  RUNTIME_CLASSES.find(candidate => seconds <= candidate.seconds)!.name

const PLAIN_FIELDS = [
  'num_cpus',
  'memory',
  'num_gpus',
  'num_nodes',
  'runtime',
  'scheduler_id',
  'invocation_script',
  'labels',
  'family',
] as const satisfies readonly (keyof PipeKey)[]

/** Where two keys differ first; a value that one of them lacks is `null`. */
export type KeyDifference = { field: string; values: readonly [string | number | null, string | number | null] }

/** The first field in which two keys differ, `tags.NAME` for a tag; undefined when they are the same. */
export function firstDifference(one: PipeKey, other: PipeKey): KeyDifference | undefined {
  for (const field of PLAIN_FIELDS) {
    if (one[field] !== other[field]) return { field, values: [one[field], other[field]] }
  }
  const names = [...new Set([...Object.keys(one.tags), ...Object.keys(other.tags)])].sort()
  for (const name of names) {
    const values = [tagOf(one, name), tagOf(other, name)] as const
    if (values[0] !== values[1]) return { field: `tags.${name}`, values }
  }
  return undefined
}

const tagOf = ({ tags }: PipeKey, name: string): string | null => (Object.hasOwn(tags, name) ? tags[name]! : null)

/** The same text for the same key, whatever the order of its tags: what groups are told apart by. */
export function keyText(key: PipeKey): string {
  const tags = Object.entries(key.tags).sort(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify([...PLAIN_FIELDS.map(field => key[field]), tags])
}
