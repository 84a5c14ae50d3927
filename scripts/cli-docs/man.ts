import { SETTINGS, variablesOf } from '../../runner/config/settings.ts'
import type { Listed } from './collect.ts'
import { COMMON, type Option, optionsOf, usageOf, writeOption } from './options.ts'

/** Makes a text harmless for roff: a backslash begins a command of its, and so does a dot or quote at the start of a line. */
const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')

/** The manual page runner(1). */
export function renderMan(commands: readonly Listed[], about: string, version: string): string {
  return [
    '.\\" Made by scripts/cli-docs from the commands themselves: change those.',
    `.TH RUNNER 1 "" "Headrace ${roff(version)}" "User Commands"`,
    '.SH NAME',
    'runner \\- run workflows of dependent jobs',
    '.SH SYNOPSIS',
    '.B runner',
    '.I COMMAND',
    '[options]',
    '.SH DESCRIPTION',
    roff(about),
    'Without a workflow named, commands mean the newest. Results go to standard output, everything else to standard error.',
    '.SH COMMANDS',
    ...commands.flatMap(renderCommand),
    '.SH OPTIONS OF MOST COMMANDS',
    ...optionList(Object.entries(COMMON).map(([name, definition]) => writeOption(name, definition))),
    '.SH EXIT STATUS',
    ...item('0', 'done; of a run: all jobs completed'),
    ...item('1', 'some jobs did not complete, or something was found wrong'),
    ...item('2', 'a mistake in the command line or in the workflow file'),
    ...item('3', 'it could not be done'),
    '.SH ENVIRONMENT',
    ...item('HEADRACE_TOKEN', 'proves to a server who you are'),
    ...item('NO_COLOR', 'leaves colours out'),
    ...item('HEADRACE_DEBUG', 'shows the place in the code of a fault of Headrace'),
    ...Object.keys(SETTINGS).flatMap(name => item(variablesOf(name)[0]!, `the setting ${name}`)),
    '.SH FILES',
    ...item('/etc/headrace/config.toml', 'settings of the system'),
    ...item('~/.config/headrace/config.toml', 'settings of the user'),
    ...item('headrace.toml', 'settings of a project, in its directory or above'),
    ...item('headrace_output', 'database and logs of a run'),
    '',
  ].join('\n')
}

function renderCommand(command: Listed): string[] {
  switch (command.kind) {
    case 'group':
      return [`.SS runner ${roff(command.words)}`, roff(command.group.about)]
    case 'alias':
      return ['.TP', `.B runner ${roff(command.words)}`, `The same as runner ${roff(command.of)}.`]
    case 'verb': {
      const { words, verb } = command
      const codes = Object.entries(verb.exitCodes ?? {}).map(([code, meaning]) => `${code}: ${meaning}`)
      return [
        '.TP',
        `.B ${roff(usageOf(words, verb))}`,
        roff(verb.about),
        ...(codes.length === 0 ? [] : [roff(`Exit status ${codes.join('; ')}.`)]),
        '.RS',
        ...optionList(optionsOf(verb).own),
        '.RE',
      ]
    }
  }
}

const item = (term: string, text: string): string[] => ['.TP', `.B ${roff(term)}`, roff(text)]
const optionList = (options: readonly Option[]): string[] => options.flatMap(({ text, about }) => item(text, about))
