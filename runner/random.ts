/** Numbers in 0..1 that a seed decides, so that what went wrong once can be repeated. */

/** A sequence from a seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The number that belongs to a seed and a text, in whatever order they are asked for. */
export function fractionOf(seed: number, text: string): number {
  // FNV-1a: spreads short texts well enough over the seeds of the sequence.
  let hash = 0x811c9dc5 ^ seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return createRandom(hash)()
}

/** A seed nobody has chosen: short enough to be typed again. */
export const newSeed = (): number => Math.floor(Math.random() * 1_000_000)
