import * as v from 'valibot'
import type { BulkChange, Selector } from '../core/bulk-change.ts'
import { bool, labels, optional, priority, status, text } from './fields.ts'

const oneOrMore = <const S extends v.GenericSchema>(schema: S) =>
  v.union([schema, v.pipe(v.array(schema), v.minLength(1))], 'must be one or a list of them')

/** No name is longer in practice, and the database refuses much longer ones. */
const MOST_OF_PATTERN = 1_000

/** An unknown condition is refused: ignored, it would select more jobs than its sender meant. */
const selector = v.pipe(
  v.strictObject({
    status: optional(oneOrMore(status)),
    name: optional(oneOrMore(text)),
    pattern: optional(v.pipe(text, v.maxLength(MOST_OF_PATTERN, `must have at most ${MOST_OF_PATTERN} characters`))),
    label: optional(oneOrMore(text)),
    tag: optional(v.pipe(v.record(v.string(), v.string()), v.minEntries(1, 'must name a tag'))),
    resource_class: optional(oneOrMore(text)),
    all: optional(v.literal(true, 'must be true')),
  }),
  v.check(
    given => Object.values(given).some(value => value != null),
    'must hold a condition: name all jobs by "all": true',
  ),
)

const common = { selector, dry_run: optional(bool) }

/** The bodies of the bulk changes, by operation. */
export const BULK_CHANGES = {
  cancel: v.object(common),
  reset: v.object(common),
  retry: v.object(common),
  priority: v.object({ ...common, priority }),
  labels: v.pipe(
    v.object({ ...common, set: optional(labels), add: optional(labels), remove: optional(labels) }),
    v.check(
      ({ set, add, remove }) => (set == null ? add != null || remove != null : add == null && remove == null),
      'must hold either set, or add or remove',
    ),
  ),
} as const

export type BulkOperation = keyof typeof BULK_CHANGES
type Body = { [K in BulkOperation]: v.InferOutput<(typeof BULK_CHANGES)[K]> }
export type BulkBody = Body[BulkOperation]

export function toSelector(given: Body['cancel']['selector']): Selector {
  return {
    status: listOf(given.status),
    name: listOf(given.name),
    pattern: given.pattern ?? undefined,
    label: listOf(given.label),
    tag: given.tag ?? undefined,
    resourceClass: listOf(given.resource_class),
  }
}

const listOf = <T>(given: T | T[] | null | undefined): T[] | undefined =>
  given == null ? undefined : Array.isArray(given) ? given : [given]

/** What the body asks for, in the server's words. */
export function toBulkChange(operation: BulkOperation, body: BulkBody): BulkChange {
  switch (operation) {
    case 'cancel':
    case 'reset':
    case 'retry':
      return { operation }
    case 'priority':
      return { operation, priority: (body as Body['priority']).priority }
    case 'labels': {
      const { set, add, remove } = body as Body['labels']
      return { operation, labels: set == null ? { add: add ?? [], remove: remove ?? [] } : { set } }
    }
  }
}
