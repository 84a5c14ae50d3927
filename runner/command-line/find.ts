import { nearest } from '../../api/core/spec/hints.ts'
import { usageError } from './error.ts'
import { isGroup } from './is-group.ts'
import type { Command, Entry, Group } from './verb.ts'

/** The command that words name, as far as they name one: `jobs list 3` finds `jobs list`, and `3` is left. */
export type Found = { path: string[]; command: Command; rest: string[] }

/**
 * Loads the command that the first words name. A group is found only when no verb of it is named and it has none of its own to fall
 * back on. Throws a usage error with the nearest name for a word that names nothing.
 */
export async function findCommand(table: Readonly<Record<string, Entry>>, words: readonly string[]): Promise<Found> {
  const [name = '', ...rest] = words
  const { default: command } = await entryOf(table, name).load()
  return isGroup(command) ? findVerb(name, command, rest) : { path: [name], command, rest }
}

async function findVerb(name: string, group: Group, words: string[]): Promise<Found> {
  const [word, ...rest] = words
  if (word !== undefined && Object.hasOwn(group.verbs, word)) {
    const { default: command } = await group.verbs[word]!.load()
    return { path: [name, word], command, rest }
  }
  const asksForTheGroup = word === undefined || word === '--help' || word === '-h'
  if (group.fallback !== undefined && !(asksForTheGroup && word !== undefined)) {
    const { default: command } = await group.verbs[group.fallback]!.load()
    return { path: [name, group.fallback], command, rest: words }
  }
  if (asksForTheGroup) return { path: [name], command: group, rest: words }
  const hint = nearest(word, Object.keys(group.verbs))
  throw usageError(
    `Cannot find the command ${name} ${word}: ${hint === undefined ? `runner ${name} --help lists its commands` : `did you mean ${name} ${hint}?`}`,
  )
}

function entryOf(table: Readonly<Record<string, Entry>>, name: string): Entry {
  const entry = Object.hasOwn(table, name) ? table[name] : undefined
  if (entry !== undefined) return entry
  const near = nearest(name, Object.keys(table))
  throw usageError(
    `Cannot find the command ${name}: ${near === undefined ? 'runner --help lists the commands' : `did you mean ${near}?`}`,
  )
}
