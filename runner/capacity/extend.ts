/** The first `count` ids; when there are too few, more are made up beyond the largest. */
export function extendIds(ids: readonly number[], count: number): number[] {
  const next = Math.max(-1, ...ids) + 1 - ids.length
  return Array.from({ length: count }, (_, index) => ids[index] ?? next + index)
}

/** The same for GPU ids, of which only indices have an order. */
export function extendNames(names: readonly string[], count: number): string[] {
  const indices = names.map(name => (/^\d+$/.test(name) ? Number(name) : -1))
  return extendIds(indices, count).map((id, index) => names[index] ?? String(id))
}
