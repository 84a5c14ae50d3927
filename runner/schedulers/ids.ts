/**
 * Turns an id of any scheduler into what may stand in a path: `123[4].srv`, `123_4` and `123.4` all become `123_4`, a whole array or a
 * plain job `123`. Only `[A-Za-z0-9_]` is left.
 */
export function pathSafeId(id: string): string {
  const [, number, inBrackets, rest] = /^(\d+)(?:\[(\d*)\])?(?:[.;_](.*))?$/.exec(id) ?? []
  if (number === undefined) return id.replace(/[^A-Za-z0-9]+/g, '_')
  const index = inBrackets || (rest !== undefined && /^\d+$/.test(rest) ? rest : undefined)
  return index === undefined ? number : `${number}_${index}`
}

/** More than any scheduler's array may have: a longer list is a line that was read wrongly. */
const INDICES_MOST = 1_000_000

/** Reads a list of indices such as `2,5,8-10:1` or `3-20%2`: a range may have a step. undefined when it is none. */
export function parseIndexList(text: string): number[] | undefined {
  const indices: number[] = []
  for (const part of text.replace(/%\d+$/, '').split(',')) {
    const [, first, last = first, step = '1'] = /^(\d+)(?:-(\d+)(?::(\d+))?)?$/.exec(part) ?? []
    if (first === undefined || Number(step) < 1 || Number(last) - Number(first) > INDICES_MOST) return undefined
    for (let index = Number(first); index <= Number(last); index += Number(step)) indices.push(index)
  }
  return indices
}

/** The shortest such list of the indices: `1-3,7`. */
export function renderIndexList(indices: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const index of [...new Set(indices)].sort((a, b) => a - b)) {
    const range = ranges.at(-1)
    if (range !== undefined && range[1] === index - 1) range[1] = index
    else ranges.push([index, index])
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',')
}
