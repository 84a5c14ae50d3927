/** Lets one caller in after the other: `take` resolves when it is the caller's turn, which lasts until it calls what it was given. */
export type Turns = { take(): Promise<() => void> }

/** For programs whose callers may wait for each other. */
export function turnsInChain(): Turns {
  let last: Promise<void> = Promise.resolve()
  return {
    async take() {
      const before = last
      let end = () => {}
      last = new Promise(resolve => {
        end = resolve
      })
      await before
      return end
    },
  }
}

/** How often somebody in the line looks whether it is its turn. */
const LOOK_MS = 2
/** Whoever has not looked for so long is gone: its request was cancelled. */
const GONE_MS = 2_000
/** No turn of somebody who is still there lasts longer: a cancelled one must not keep the others for ever. */
const LONGEST_TURN_MS = 45_000

/**
 * For Workers, where no request may wait for a promise of another one (platform.md 5.2) and any may be cut off without a word: the line
 * is plain values, and everybody in it looks again and again.
 */
export function turnsByLooking(clock: () => number = Date.now): Turns {
  type Place = { goneAt: number }
  const line: Place[] = []

  function leave(place: Place): void {
    const index = line.indexOf(place)
    if (index >= 0) line.splice(index, 1)
  }

  return {
    async take() {
      const place: Place = { goneAt: clock() + GONE_MS }
      line.push(place)
      while (!isFirst(place)) {
        await new Promise(resolve => setTimeout(resolve, LOOK_MS))
        place.goneAt = clock() + GONE_MS
      }
      place.goneAt = clock() + LONGEST_TURN_MS
      return () => leave(place)
    },
  }

  /** Drops who is gone from the head of the line. Somebody who was dropped and comes back, after a long standstill, joins it again. */
  function isFirst(place: Place): boolean {
    while (line.length > 0 && line[0] !== place && line[0]!.goneAt < clock()) line.shift()
    if (!line.includes(place)) line.push(place)
    return line[0] === place
  }
}
