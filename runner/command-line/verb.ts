import { type ArgsDef, type ParsedArgs, parseArgs } from 'citty'
import { checkArguments } from './arguments.ts'

/** 0: every job completed. 1: some did not. 2: mistake in the command line or the workflow file. 3: could not run. */
export type ExitCode = 0 | 1 | 2 | 3

/** One command as the root sees it: what help needs, and running it. */
export type Verb = {
  about: string
  args: ArgsDef
  /** Shown by --help, without the program's name. */
  examples: readonly string[]
  run(rawArgs: string[]): Promise<ExitCode>
}

export type VerbDefinition<T extends ArgsDef> = Omit<Verb, 'args' | 'run'> & {
  args: T
  run(args: ParsedArgs<T>, rawArgs: string[]): Promise<ExitCode>
}

/**
 * Makes a command from its arguments in citty's form. citty parses; what it lets pass (unknown options, values that are missing)
 * is refused before. Its own runner of subcommands is not used, since that drops their results.
 */
export function defineVerb<const T extends ArgsDef>(definition: VerbDefinition<T>): Verb {
  const { about, args, examples } = definition
  return {
    about,
    args,
    examples,
    async run(rawArgs) {
      checkArguments(args, rawArgs)
      return definition.run(parseArgs<T>(rawArgs, args), rawArgs)
    },
  }
}
