/** Memory and time as the wire writes them, rounded up to what people would write. */

const UNITS = [
  ['t', 40],
  ['g', 30],
  ['m', 20],
  ['k', 10],
] as const

/** A factor rounds by no more than this, so that `4g` × 1.5 is `6g` and 1.5g is `1536m`. */
const MIB = 2 ** 20

/** `6g`, `1536m`: whole MiB, in the largest unit that needs no fraction. Less than one MiB stays as it is, in bytes. */
export function formatMemory(bytes: number): string {
  const whole = bytes < MIB ? Math.ceil(bytes) : Math.ceil(bytes / MIB) * MIB
  const unit = UNITS.find(([, power]) => whole % 2 ** power === 0)
  return unit === undefined ? String(whole) : `${whole / 2 ** unit[1]}${unit[0]}`
}

/** `PT1H30M`: whole minutes above one minute, whole seconds below. */
export function formatRuntime(seconds: number): string {
  const whole = seconds < 60 ? Math.ceil(seconds) : Math.ceil(seconds / 60) * 60
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const rest = whole % 60
  const text = `${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${rest > 0 ? `${rest}S` : ''}`
  return `PT${text || '0S'}`
}
