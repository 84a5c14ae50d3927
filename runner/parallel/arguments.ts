import type { ArgsDef } from 'citty'
import { CONTROL_PLANE } from '../command-line/options.ts'

/** The options of `parallel`: GNU parallel's own names and meanings, and where our runner keeps its things. */
export const PARALLEL_ARGS = {
  jobs: {
    type: 'string',
    alias: 'j',
    valueHint: 'N',
    description: 'jobs at once: a number, 0 for all, 50% of the cores, +1 or -1 (default: one per core)',
  },
  'arg-file': {
    type: 'string',
    alias: 'a',
    valueHint: 'FILE',
    description: 'values line by line (repeatable); - reads standard input',
  },
  null: { type: 'boolean', alias: '0', description: 'values read from files end with a zero byte' },
  delimiter: {
    type: 'string',
    alias: 'd',
    valueHint: 'SIGN',
    description: 'values read from files end with this sign',
  },
  colsep: { type: 'string', valueHint: 'REGEXP', description: 'cut each value into columns {1}, {2} ...' },
  link: {
    type: 'boolean',
    description: 'the first values of all sources together, then the second; shorter ones begin again',
  },
  'max-args': {
    type: 'string',
    alias: 'n',
    valueHint: 'N',
    description: 'N values for each command: {} all of them, {1} {2} ... one',
  },
  'no-run-if-empty': { type: 'boolean', alias: 'r', description: 'leave out values of blanks only' },
  quote: { type: 'boolean', alias: 'q', description: 'quote the command word by word for the shell' },
  commands: {
    type: 'string',
    alias: 'C',
    valueHint: 'FILE',
    description:
      'run the lines of a file as commands; blank lines and lines with # in front are skipped; - reads standard input',
  },
  'keep-order': { type: 'boolean', alias: 'k', description: 'print output in the order of the values' },
  tag: { type: 'boolean', description: 'begin each line of output with the values and a tab' },
  bar: { type: 'boolean', description: 'show progress on standard error' },
  joblog: { type: 'string', valueHint: 'FILE', description: 'write a line per ended job; +FILE adds to what is there' },
  resume: { type: 'boolean', description: 'leave out what stands in the job log' },
  'resume-failed': { type: 'boolean', description: 'leave out what succeeded by the job log' },
  retries: { type: 'string', valueHint: 'N', description: 'try a job that fails up to N times in all' },
  timeout: { type: 'string', valueHint: 'TIME', description: 'end a job after this many seconds, or 1m30s' },
  halt: {
    type: 'string',
    valueHint: 'WHEN',
    description: 'never (default), or now|soon,fail|success|done=N|N%: end everything, or start nothing more',
  },
  'dry-run': { type: 'boolean', description: 'print the commands instead of running them' },
  'will-cite': { type: 'boolean', description: 'nothing, as scripts for GNU parallel have it' },
  ...CONTROL_PLANE,
  'output-dir': {
    ...CONTROL_PLANE['output-dir'],
    description: 'keep database and logs there (default: a temporary directory that is removed at the end)',
  },
} as const satisfies ArgsDef

/** The command line in its three parts. */
export type Words = {
  options: string[]
  /** The command; empty when the values themselves are commands. */
  command: string[]
  /** From the first `:::` on. */
  inputs: string[]
}

const INPUT_MARK = /^:{3,4}\+?$/

export const isInputMark = (word: string): boolean => INPUT_MARK.test(word)

/** Options stand before the command, as everything behind its first word belongs to it. */
export function splitWords(words: readonly string[]): Words {
  const options: string[] = []
  let at = 0
  while (at < words.length && isOption(words[at]!)) {
    const option = inOurName(words[at]!)
    const next = at + (takesNext(option) ? 2 : 1)
    options.push(option, ...words.slice(at + 1, next))
    at = next
  }
  const rest = words[at] === '--' ? words.slice(at + 1) : words.slice(at)
  const mark = rest.findIndex(isInputMark)
  return mark < 0
    ? { options, command: rest, inputs: [] }
    : { options, command: rest.slice(0, mark), inputs: rest.slice(mark) }
}

/** Other names that GNU parallel has for the same options. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['--max-procs', '--jobs'],
  ['--max-replace-args', '--max-args'],
  ['--halt-on-error', '--halt'],
  ['--xapply', '--link'],
  ['--dryrun', '--dry-run'],
  ['--eta', '--bar'],
  ['--progress', '--bar'],
  ['-P', '-j'],
  ['-N', '-n'],
])

function inOurName(word: string): string {
  const name = /^(--[^=]+|-.)/s.exec(word)?.[0] ?? ''
  return `${OTHER_NAMES.get(name) ?? name}${word.slice(name.length)}`
}

const isOption = (word: string): boolean => /^-./.test(word) && word !== '--'

/** Names and letters of the options that have a value. */
const VALUED = new Set<string>(
  Object.entries(PARALLEL_ARGS).flatMap(([name, definition]) => {
    if (definition.type !== 'string') return []
    return 'alias' in definition ? [name, definition.alias] : [name]
  }),
)

/** Whether the value of an option is the next word. Of letters in one word only the last can have a value there. */
function takesNext(word: string): boolean {
  if (word.startsWith('--')) return VALUED.has(word.slice(2))
  const letters = [...word.slice(1)]
  const valued = letters.findIndex(letter => VALUED.has(letter))
  return valued >= 0 && valued === letters.length - 1
}
