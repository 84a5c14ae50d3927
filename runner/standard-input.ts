import { readFileSync } from 'node:fs'
import { usageError } from './command-line/error.ts'

/** Stands for standard input where a file is wanted. */
export const STANDARD_INPUT = '-'

/** Loaded when it is needed: it costs every command more than a millisecond. */
const tty = () => process.getBuiltinModule('node:tty')

/** All of standard input. Throws a usage error at a terminal: waiting for somebody to type `what` helps nobody. */
export function readStandardInput(what: string): string {
  if (tty().isatty(0))
    throw usageError(`Cannot read ${what} from standard input as that is a terminal: pipe something into it`)
  return readFileSync(0, 'utf8')
}
