/** More names than this are not worth listing in a message. */
const MOST_LISTED = 24

/** More names are not searched: a message is not worth seconds. */
const MOST_SEARCHED = 5_000

/** Comparing costs the product of the lengths; a longer word is no typing mistake. */
const LONGEST_COMPARED = 200

/** Offers the nearest of the allowed words, else the whole list when it is short; undefined when there is nothing to offer. */
export function didYouMean(written: string, allowed: Iterable<string>): string | undefined {
  const words = [...allowed].slice(0, MOST_SEARCHED)
  const near = nearest(written, words)
  if (near !== undefined) return `did you mean "${near}"?`
  if (words.length === 0) return undefined
  const shown = words.slice(0, MOST_LISTED)
  return `one of: ${shown.join(', ')}${shown.length < words.length ? ', …' : ''}`
}

/** The closest word by edit distance, if the distance is at most 2 or a third of the length. */
export function nearest(written: string, words: readonly string[]): string | undefined {
  if (written.length > LONGEST_COMPARED) return undefined
  const furthest = Math.max(2, Math.floor(written.length / 3))
  let best: string | undefined
  let bestDistance = furthest + 1
  for (const word of words) {
    if (Math.abs(word.length - written.length) >= bestDistance) continue
    const distance = editDistance(written, word)
    if (distance < bestDistance) {
      best = word
      bestDistance = distance
    }
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours, each counting 1 (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let distance = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) distance = Math.min(distance, beforeLast[column - 2]! + 1)
      current.push(distance)
    }
    beforeLast = last
    last = current
  }
  return last[b.length]!
}
