import type { ArgsDef, ParsedArgs } from 'citty'
import { fillFromSettings } from '../config/fill.ts'
import { checkArguments, readArguments } from './arguments.ts'

/**
 * 0: done, or every job completed. 1: some jobs did not complete, or something was found wrong. 2: mistake in the command line or
 * the workflow file. 3: could not be done. Commands that tell more (`wait`, `exec`) say so on their page.
 */
export type ExitCode = number

/** One command as the root sees it: what help needs, and running it. */
export type Verb = {
  about: string
  args: ArgsDef
  /** Shown by --help, without the program's name. */
  examples: readonly string[]
  /** Exit codes beyond the usual ones: shown by --help and in the reference. */
  exitCodes?: Readonly<Record<number, string>>
  /** All words are another program's, `--help` too. */
  passesWordsOn?: boolean
  run(rawArgs: string[]): Promise<ExitCode>
}

/** A noun with its verbs: `runner jobs list`. */
export type Group = {
  about: string
  verbs: Readonly<Record<string, Entry>>
  /** The verb that is meant when none is named: `runner results 3`. */
  fallback?: string
}

export type Command = Verb | Group

/** A command by its name, loaded when it is called, so that the start-up of one does not pay for the others. */
export type Entry = { about: string; load(): Promise<{ default: Command }> }

/** An entry for a verb that is there already, as those of a group are that live in one file. */
export const entryFor = (verb: Verb): Entry => ({
  about: firstSentence(verb.about),
  load: async () => ({ default: verb }),
})

/** In lists of commands a line is enough, in their style: no capital, no full stop. */
function firstSentence(about: string): string {
  const [sentence] = about.split(/[.:](?:\s|$)/, 1)
  return sentence!.charAt(0).toLowerCase() + sentence!.slice(1)
}

export type VerbDefinition<T extends ArgsDef> = Omit<Verb, 'args' | 'run'> & {
  args: T
  /** The last positional may be given many times; all are in `args._`. */
  repeatsLast?: boolean
  run(args: ParsedArgs<T>, rawArgs: string[]): Promise<ExitCode>
}

/**
 * Makes a command from its arguments in citty's form. citty parses; what it lets pass (unknown options, values that are missing)
 * is refused before, and what is not given is filled from configuration files and the environment. Its own runner of subcommands
 * is not used, since that drops their results.
 */
export function defineVerb<const T extends ArgsDef>(definition: VerbDefinition<T>): Verb {
  const { about, args, examples, exitCodes, repeatsLast } = definition
  return {
    about,
    args,
    examples,
    exitCodes,
    async run(rawArgs) {
      checkArguments(args, rawArgs, { repeatsLast })
      const parsed = readArguments(args, rawArgs)
      fillFromSettings(parsed, args)
      return definition.run(parsed, rawArgs)
    },
  }
}
