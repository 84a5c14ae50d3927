/** Names for jobs that are added to a workflow: `job<n>` from `first` on, with a suffix `_k` where that is taken. */
export function newJobNames(count: number, first: number, taken: ReadonlySet<string>): string[] {
  const used = new Set(taken)
  return Array.from({ length: count }, (_, index) => {
    const base = `job${first + index}`
    let name = base
    for (let k = 1; used.has(name); k++) name = `${base}_${k}`
    used.add(name)
    return name
  })
}
