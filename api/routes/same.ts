/** Whether what a client sends back equals what is stored, judged generously: it reads, changes one field, and writes everything. */

/** Environments are maps, so their order does not matter; none and an empty one are the same. */
export function sameEnv(stored: string | null, given: Readonly<Record<string, string>>): boolean {
  const before: Record<string, string> = stored === null ? {} : JSON.parse(stored)
  const names = Object.keys(given)
  return (
    names.length === Object.keys(before).length &&
    names.every(name => Object.hasOwn(before, name) && before[name] === given[name])
  )
}

/** Lists of ids or of names are sets. */
export function sameSet<T extends number | string>(stored: readonly T[], given: readonly T[]): boolean {
  const before = new Set(stored)
  const after = new Set(given)
  return before.size === after.size && [...after].every(id => before.has(id))
}
