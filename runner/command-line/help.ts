import type { ArgsDef } from 'citty'
import { wrap } from '../screen/text.ts'
import type { Group, Verb } from './verb.ts'

/** Lines longer than this are hard to read however wide the screen is. */
const WIDEST = 100
/** Below this a description goes under its option instead of beside it. */
const NARROWEST_DESCRIPTION = 30

/** Commands that belong together, under a title. */
export type Section = { title: string; commands: readonly (readonly [name: string, about: string])[] }

/** The page of the program: what it is and its commands. */
export function renderRootHelp(about: string, sections: readonly Section[], width: number): string {
  const longest = Math.max(...sections.flatMap(({ commands }) => commands.map(([name]) => name.length)))
  return [
    about,
    '',
    'Usage: runner COMMAND [options]',
    '',
    // Padded to the longest of all, so that the sections line up.
    ...sections.flatMap(({ title, commands }) => [
      `${title}:`,
      ...renderRows(
        commands.map(([name, text]) => [name.padEnd(longest), text]),
        width,
      ),
      '',
    ]),
    'runner COMMAND --help shows its options and an example.',
    '',
  ].join('\n')
}

/** The page of a noun: its verbs. */
export function renderGroupHelp(name: string, group: Group, width: number): string {
  const verbs = Object.entries(group.verbs).map(([word, { about }]) => [word, about] as const)
  return [
    ...wrap(group.about, Math.min(width, WIDEST)),
    '',
    `Usage: runner ${name} COMMAND [options]`,
    '',
    'Commands:',
    ...renderRows(verbs, width),
    '',
    `runner ${name} COMMAND --help shows its options and an example.`,
    ...(group.fallback === undefined ? [] : [`Without a command: ${group.fallback}.`]),
    '',
  ].join('\n')
}

/** The page of one command: usage, arguments, options, examples. */
export function renderVerbHelp(name: string, verb: Verb, width: number): string {
  const positionals = Object.values(verb.args).filter(arg => arg.type === 'positional')
  const words = positionals.map(arg => (arg.required === false ? `[${arg.valueHint}]` : arg.valueHint))
  const options = Object.entries(verb.args).filter(([, arg]) => arg.type !== 'positional')
  return [
    ...wrap(verb.about, Math.min(width, WIDEST)),
    '',
    `Usage: ${['runner', name, ...words, '[options]'].join(' ')}`,
    '',
    ...renderRows(
      positionals.map(arg => [arg.valueHint ?? '', arg.description ?? '']),
      width,
    ),
    ...(positionals.length > 0 ? [''] : []),
    'Options:',
    ...renderRows([...options.map(([key, arg]) => optionRow(key, arg)), ['-h, --help', 'this page']], width),
    '',
    ...(verb.exitCodes === undefined ? [] : ['Exit codes:', ...renderRows(Object.entries(verb.exitCodes), width), '']),
    'Examples:',
    ...verb.examples.map(example => `  runner ${example}`),
    '',
  ].join('\n')
}

function optionRow(name: string, arg: ArgsDef[string]): [string, string] {
  const [short] = [('alias' in arg ? arg.alias : undefined) ?? []].flat()
  const value = arg.type === 'boolean' ? '' : ` ${arg.valueHint}`
  return [`${short === undefined ? '' : `-${short}, `}--${name}${value}`, arg.description ?? '']
}

/** Two columns, the second wrapped; on a narrow screen it stands below the first. */
function renderRows(rows: readonly (readonly [string, string])[], width: number): string[] {
  const most = Math.min(width, WIDEST)
  const left = Math.max(0, ...rows.map(([key]) => key.length)) + 4
  if (most - left < NARROWEST_DESCRIPTION) {
    return rows.flatMap(([key, text]) => [`  ${key}`, ...wrap(text, most - 6).map(line => `      ${line}`)])
  }
  return rows.flatMap(([key, text]) =>
    wrap(text, most - left).map((line, index) => (index === 0 ? `  ${key}` : '').padEnd(left) + line),
  )
}
