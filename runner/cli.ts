import { CommandError, usageError } from './command-line/error.ts'
import { findCommand } from './command-line/find.ts'
import { renderGroupHelp, renderRootHelp, renderVerbHelp } from './command-line/help.ts'
import { isGroup } from './command-line/is-group.ts'
import { print, screenWidth } from './command-line/output.ts'
import type { ExitCode } from './command-line/verb.ts'
import { sectionsOf } from './sections.ts'
import { VERBS } from './verbs.ts'
import { VERSION } from './version.ts'

const ABOUT = 'Headrace runs workflows of dependent jobs, on a laptop or on many nodes.'

// Whoever reads our output may stop before its end (`| head`), and a terminal may be closed; what is still to be written has no
// reader and is dropped.
const NO_READER: ReadonlySet<string | undefined> = new Set(['EPIPE', 'EIO'])

// A result that is cut short without a word would be taken for the whole.
let isCut = false
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (isCut || NO_READER.has(error.code)) return
  isCut = true
  process.stderr.write(`Cannot write to standard output: ${error.code}; make room where it goes, and ask again\n`)
  process.exitCode = 3
})
// There is nowhere left to tell of it.
process.stderr.on('error', () => {})

void main(process.argv.slice(2))
  .catch(report)
  .then(code => {
    if (!isCut) process.exitCode = code
  })

async function main(words: string[]): Promise<ExitCode> {
  const [name, ...after] = words
  if (name === undefined || name === '--help' || name === '-h') return rootHelp()
  if (name === 'help') return after.length === 0 || after[0] === 'help' ? rootHelp() : main([...after, '--help'])
  if (name === '--version' || name === '-V') {
    print(VERSION)
    return 0
  }
  const { path, command, rest } = await findCommand(VERBS, words)
  if (isGroup(command)) {
    if (rest.length === 0)
      throw usageError(`Cannot go on without a command of ${name}: runner ${name} --help lists them`)
    print(renderGroupHelp(name, command, screenWidth()))
    return 0
  }
  if (!command.passesWordsOn && asksForHelp(rest)) {
    print(renderVerbHelp(path.join(' '), command, screenWidth()))
    return 0
  }
  return command.run(rest)
}

function rootHelp(): ExitCode {
  print(renderRootHelp(ABOUT, sectionsOf(VERBS), screenWidth()))
  return 0
}

function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--')
  const ours = end < 0 ? words : words.slice(0, end)
  return ours.includes('--help') || ours.includes('-h')
}

/** Says what is in the way in one line. A stack is for those who look for a fault in Headrace itself. */
function report(error: unknown): ExitCode {
  if (error instanceof CommandError) {
    process.stderr.write(`${error.message}\n`)
    return error.exitCode
  }
  const text = error instanceof Error ? error.message : String(error)
  process.stderr.write(`Cannot go on because of an error in Headrace: ${text} (HEADRACE_DEBUG=1 shows where)\n`)
  if (process.env.HEADRACE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return 3
}
