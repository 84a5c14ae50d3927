import * as v from 'valibot'
import { JOB_STATUSES } from '../core/status.ts'

/** The pieces wire schemas are made of. Unknown fields are ignored and null equals absence everywhere (contract/notes.md 1). */

export const text = v.string()
export const bool = v.boolean()
export const float = v.pipe(v.number(), v.finite('must be a finite number'))
/** Integers stay below 2^53, so that JSON carries them exactly. */
export const integer = v.pipe(v.number(), v.safeInteger('must be an integer'))
export const status = v.picklist(JOB_STATUSES, 'must be a job status')

/** A field that may be absent or null. */
export const optional = <const S extends v.GenericSchema>(schema: S) => v.nullish(schema)

export const ids = v.array(integer)

/** What one request may tell or ask of at most: as many as a page of a list has. */
const MOST_ENTRIES = 100_000

/** A list of entries that one transaction takes. */
export const batch = <const S extends v.GenericSchema>(entry: S) =>
  v.pipe(v.array(entry), v.maxLength(MOST_ENTRIES, `must have ${MOST_ENTRIES} entries at most`))

/** SQLite reads no JSON that is nested more than 1,000 levels deep, and nobody needs a tenth of that. */
const MOST_LEVELS = 100

/** Level by level instead of by recursion, which such a value would break. */
export function isShallow(value: unknown): boolean {
  let level = [value].filter(isNested)
  for (let depth = 0; depth < MOST_LEVELS && level.length > 0; depth++) {
    const below: object[] = []
    for (const outer of level) {
      for (const inner of Object.values(outer)) if (isNested(inner)) below.push(inner)
    }
    level = below
  }
  return level.length === 0
}

const isNested = (value: unknown): value is object => typeof value === 'object' && value !== null

export const TOO_DEEP = `must not be nested more than ${MOST_LEVELS} levels deep`

/** Any JSON value but null, which counts as absence. */
export const json = v.pipe(
  v.unknown(),
  v.check(given => isShallow(given), TOO_DEEP),
)

export type JsonObject = Record<string, unknown>

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Fields that are text in the old contract and objects in the new one: both are taken, in either dialect (19.2). */
export const textOrObject = v.pipe(
  v.custom<string | JsonObject>(value => typeof value === 'string' || isJsonObject(value), 'must be text or an object'),
  v.check(given => isShallow(given), TOO_DEEP),
)

const ENV_KEY = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Environment variables: text to text, with names a shell can hold. */
export const env = v.pipe(
  v.record(v.string(), v.string()),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const bad = Object.keys(dataset.value).find(key => !ENV_KEY.test(key))
    if (bad !== undefined) addIssue({ message: `holds a name that is no environment variable: ${JSON.stringify(bad)}` })
  }),
)

export function isLabel(label: string): boolean {
  return label !== '' && label.trim() === label && !label.includes(',')
}

/** Labels as a set: sorted, each once (19.5). */
export const labels = v.pipe(
  v.array(v.string()),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const bad = dataset.value.find(label => !isLabel(label))
    if (bad !== undefined)
      addIssue({ message: `holds a label that is empty, has a comma or a blank at an end: ${JSON.stringify(bad)}` })
  }),
  v.transform(given => [...new Set(given)].sort()),
)

export const priority = v.pipe(
  integer,
  v.minValue(0, issue => `is refused as priority must be >= 0: current value is ${issue.input}`),
)
