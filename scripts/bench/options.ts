/** What was asked for on the command line. */
export type BenchOptions = {
  /** Empty: all cases. */
  cases: string[]
  list: boolean
  json: boolean
  quick: boolean
  pairs: number
  durability: 'process' | 'power'
}

const DEFAULT_PAIRS = 5

export const USAGE = `Usage: npm run bench -- [CASE ...] [--list] [--json] [--quick] [--pairs N] [--durability process|power] [--no-build]`

/** Reads the words of the command line; a text says what is wrong with them. */
export function parseBenchOptions(words: readonly string[], known: readonly string[]): BenchOptions | string {
  const options: BenchOptions = {
    cases: [],
    list: false,
    json: false,
    quick: false,
    pairs: DEFAULT_PAIRS,
    durability: 'process',
  }
  const rest = [...words]
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    switch (word) {
      case '--list':
      case '--json':
      case '--quick':
        options[word.slice(2) as 'list' | 'json' | 'quick'] = true
        break
      case '--pairs': {
        const text = rest.shift() ?? ''
        if (!/^[1-9]\d{0,3}$/.test(text)) return `Cannot read --pairs as it must be a whole number >= 1: ${text}`
        options.pairs = Number(text)
        break
      }
      case '--durability': {
        const text = rest.shift() ?? ''
        if (text !== 'process' && text !== 'power') return `Cannot read --durability as it is process or power: ${text}`
        options.durability = text
        break
      }
      default:
        if (!known.includes(word)) return `Cannot run ${word} as there is no such case or option`
        options.cases.push(word)
    }
  }
  return options
}
