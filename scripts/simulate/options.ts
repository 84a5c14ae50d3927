export type SimulateOptions = {
  runners: number
  hours: number
  /** How many seeds, and the first of them. */
  seeds: number
  seed: number
  processes: number
}

export const USAGE =
  'npm run simulate -- [--runners N (50)] [--hours H (4)] [--seeds N (20)] [--seed FIRST (1)] [--processes N (one per core)]'

const WHOLE = /^\d+$/

/** Reads the command line; a text says what is wrong with it. */
export function parseSimulateOptions(words: readonly string[], cores: number): SimulateOptions | string {
  const options: SimulateOptions = { runners: 50, hours: 4, seeds: 20, seed: 1, processes: cores }
  for (let at = 0; at < words.length; at += 2) {
    const name = words[at]!.replace(/^--/, '')
    const value = words[at + 1]
    if (!words[at]!.startsWith('--') || !Object.hasOwn(options, name))
      return `Cannot simulate as there is no option ${words[at]}`
    const isFine = value !== undefined && (name === 'hours' ? /^(\d+\.?\d*|\.\d+)$/ : WHOLE).test(value)
    if (!isFine || (Number(value) === 0 && name !== 'seed'))
      return `Cannot read --${name}: current value is ${value ?? '(empty)'}`
    options[name as keyof SimulateOptions] = Number(value)
  }
  return options
}
