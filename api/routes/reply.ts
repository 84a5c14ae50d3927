/** Pieces that replies are made of. */

type Compact<T> = { [K in keyof T]?: Exclude<T[K], null> }

/** Leaves out null and undefined fields, as every reply does (contract/notes.md 3). */
export function compact<T extends object>(fields: T): Compact<T> {
  const kept: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value !== null && value !== undefined) kept[name] = value
  }
  return kept as Compact<T>
}

/** Stored flags are 0 and 1, and null where nothing was said. */
export const flag = (stored: number | null): boolean | null => (stored === null ? null : stored !== 0)

/** A flag of a request as it is stored; undefined when the request says nothing. */
export const storedFlag = (given: boolean | null | undefined): number | undefined =>
  given == null ? undefined : Number(given)

/** Reads JSON that the database holds; null stays null. */
export const storedJson = (text: string | null): unknown => (text === null ? null : JSON.parse(text))

/** JSON of a request as it is stored; undefined when the request says nothing. */
export const jsonText = (value: unknown): string | undefined => (value == null ? undefined : JSON.stringify(value))

/** Labels as replies show them: left out when there are none. */
export const labelList = (stored: string): string[] | null => (stored === '' ? null : stored.split(','))

/** RFC 3339 with the offset written out, as clients of `start_time` and `executed_at` expect. */
export const rfc3339 = (epochMs: number): string => new Date(epochMs).toISOString().replace('Z', '+00:00')
