import { isGroup } from '../../runner/command-line/is-group.ts'
import type { Entry, Group, Verb } from '../../runner/command-line/verb.ts'

/** A command as the reference lists it. */
export type Listed =
  | { kind: 'verb'; words: string; verb: Verb }
  | { kind: 'group'; words: string; group: Group }
  /** The same verb under a second name. */
  | { kind: 'alias'; words: string; of: string }

/** Every command in the order of help: a noun, then its verbs. */
export async function collectCommands(table: Readonly<Record<string, Entry>>): Promise<Listed[]> {
  const listed: Listed[] = []
  const names = new Map<Verb, string>()
  const add = (words: string, verb: Verb) => {
    const known = names.get(verb)
    if (known !== undefined) return void listed.push({ kind: 'alias', words, of: known })
    names.set(verb, words)
    listed.push({ kind: 'verb', words, verb })
  }
  const loaded = await Promise.all(
    Object.entries(table).map(async ([name, entry]) => ({ name, command: (await entry.load()).default })),
  )
  // A verb that stands alone keeps its short name, whichever noun has it too.
  for (const { name, command } of loaded) if (!isGroup(command)) add(name, command)
  for (const { name, command } of loaded) {
    if (!isGroup(command)) continue
    listed.push({ kind: 'group', words: name, group: command })
    for (const [verb, entry] of Object.entries(command.verbs)) {
      const { default: found } = await entry.load()
      if (!isGroup(found)) add(`${name} ${verb}`, found)
    }
  }
  return listed
}

/** Only the verbs. */
export async function collectVerbs(table: Readonly<Record<string, Entry>>): Promise<{ words: string; verb: Verb }[]> {
  const listed = await collectCommands(table)
  return listed.flatMap(one => (one.kind === 'verb' ? [{ words: one.words, verb: one.verb }] : []))
}
