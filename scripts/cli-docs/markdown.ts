import { SETTINGS, variablesOf } from '../../runner/config/settings.ts'
import type { Listed } from './collect.ts'
import { COMMON, type Option, optionsOf, usageOf, writeOption } from './options.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

/** The part of docs/cli.md that comes from the commands themselves. */
export function renderMarkdown(commands: readonly Listed[]): string {
  return [
    '### Settings',
    '',
    '| name | what | default | in the environment |',
    '|---|---|---|---|',
    ...Object.entries(SETTINGS).map(
      ([name, { about, fallback }]) =>
        `| \`${name}\` | ${cell(about)} | ${cell(fallback)} | ${variablesOf(name)
          .map(variable => `\`${variable}\``)
          .join(', ')} |`,
    ),
    '',
    '### Options of most commands',
    '',
    ...optionTable(Object.entries(COMMON).map(([name, definition]) => writeOption(name, definition))),
    '',
    ...commands.flatMap(renderCommand),
  ].join('\n')
}

function renderCommand(command: Listed): string[] {
  switch (command.kind) {
    case 'group':
      return [`### runner ${command.words}`, '', cell(command.group.about), '']
    case 'alias':
      return [`#### runner ${command.words}`, '', `The same as \`runner ${command.of}\`.`, '']
    case 'verb':
      return renderVerb(command)
  }
}

function renderVerb({ words, verb }: Extract<Listed, { kind: 'verb' }>): string[] {
  const { own } = optionsOf(verb)
  const codes = Object.entries(verb.exitCodes ?? {}).map(([code, about]) => `${code}: ${about}`)
  return [
    `${words.includes(' ') ? '####' : '###'} runner ${words}`,
    '',
    cell(verb.about),
    '',
    ...(own.length === 0 ? [] : [...optionTable(own), '']),
    ...(codes.length === 0 ? [] : [`Exit codes: ${codes.join('; ')}.`, '']),
    '```sh',
    `# ${usageOf(words, verb)}`,
    ...verb.examples.map(example => `runner ${example}`),
    '```',
    '',
  ]
}

const optionTable = (options: readonly Option[]): string[] => [
  '| option | meaning |',
  '|---|---|',
  ...options.map(({ text, about }) => `| \`${text.replaceAll('|', '\\|')}\` | ${cell(about)} |`),
]
