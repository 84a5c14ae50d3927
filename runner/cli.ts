#!/usr/bin/env node
import { nearest } from '../api/core/spec/hints.ts'
import { CommandError, usageError } from './command-line/error.ts'
import { renderRootHelp, renderVerbHelp } from './command-line/help.ts'
import { print, screenWidth } from './command-line/output.ts'
import type { ExitCode } from './command-line/verb.ts'
import { VERBS } from './verbs.ts'
import { VERSION } from './version.ts'

const ABOUT = 'Headrace runs workflows of dependent jobs, on a laptop or on many nodes.'

// Whoever reads our output may stop before its end (`| head`); what is still to be written has no reader and is dropped.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await main(process.argv.slice(2)).catch(report)

async function main([name, ...rest]: string[]): Promise<ExitCode> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return help(rest[0])
  if (name === '--version' || name === '-V') {
    print(VERSION)
    return 0
  }
  const verb = (await entryOf(name).load()).default
  if (asksForHelp(rest)) {
    print(renderVerbHelp(name, verb, screenWidth()))
    return 0
  }
  return verb.run(rest)
}

async function help(name: string | undefined): Promise<ExitCode> {
  if (name !== undefined && Object.hasOwn(VERBS, name)) return main([name, '--help'])
  const commands = Object.entries(VERBS).map(([word, { about }]) => [word, about] as const)
  print(renderRootHelp(ABOUT, commands, screenWidth()))
  return 0
}

function entryOf(name: string) {
  const entry = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
  if (entry !== undefined) return entry
  const near = nearest(name, Object.keys(VERBS))
  throw usageError(
    `Cannot find the command ${name}: ${near === undefined ? 'runner --help lists the commands' : `did you mean ${near}?`}`,
  )
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
