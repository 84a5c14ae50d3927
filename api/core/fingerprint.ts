/** Two lanes of 53 bits: enough that two inputs of one workflow never meet by chance. No protection against an adversary. */
const SEEDS = [0x2f6b_17c9, 0x51ed_2701]

/** Gives a short text that changes when the input changes. */
export const fingerprint = (input: string): string =>
  SEEDS.map(seed => mix(input, seed).toString(16).padStart(14, '0')).join('')

/** Multiply and rotate per character, then avalanche (the constants are those of MurmurHash3 and xxHash). */
function mix(input: string, seed: number): number {
  let high = 0xdeadbeef ^ seed
  let low = 0x41c6ce57 ^ seed
  for (let k = 0; k < input.length; k++) {
    const unit = input.charCodeAt(k)
    high = Math.imul(high ^ unit, 0x9e3779b1)
    low = Math.imul(low ^ unit, 0x5f356495)
  }
  high = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35)
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(high ^ (high >>> 13), 0xc2b2ae35)
  return 0x1_0000_0000 * (0x1f_ffff & low) + (high >>> 0)
}
