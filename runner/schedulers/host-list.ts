/** Expands Slurm's compressed host names: `n[1-3,08-10],m7` gives n1 n2 n3 n08 n09 n10 m7. What cannot be read stays as it is. */
export function expandHostList(text: string): string[] {
  return splitOutside(text).flatMap(expandOne)
}

function expandOne(name: string): string[] {
  const [, before, ranges, after] = /^([^[]*)\[([\d,-]+)\](.*)$/.exec(name) ?? []
  if (before === undefined) return name === '' ? [] : [name]
  const tails = expandOne(after!)
  return ranges!.split(',').flatMap(range => {
    const [first = '', last = first] = range.split('-')
    const numbers = Array.from({ length: Number(last) - Number(first) + 1 }, (_, step) =>
      String(Number(first) + step).padStart(first.length, '0'),
    )
    return numbers.flatMap(number => (tails.length === 0 ? [''] : tails).map(tail => `${before}${number}${tail}`))
  })
}

/** Splits at commas that are not between brackets. */
const splitOutside = (text: string): string[] => text.split(/,(?![^[]*\])/)

/** Expands counts per node such as `6,2` or `4(x2),8`. */
export function expandCounts(text: string): number[] {
  return text.split(',').flatMap(part => {
    const [, count, times = '1'] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part) ?? []
    return count === undefined ? [] : Array<number>(Number(times)).fill(Number(count))
  })
}
