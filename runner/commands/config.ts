import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cannotRun } from '../command-line/error.ts'
import { FORMAT } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb, entryFor, type Group } from '../command-line/verb.ts'
import { configPlaces, PROJECT_FILE, readConfigFiles } from '../config/files.ts'
import { checkResolved, resolveSettings } from '../config/resolve.ts'
import { SETTINGS, variablesOf } from '../config/settings.ts'
import { renderTemplate } from '../config/template.ts'
import { makeWithParents } from '../make-directory.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { whyUnwritable } from '../text-file.ts'
import { formatOf } from './ask.ts'

type Shown = { name: string; value: string; source: string; variable: string }

const COLUMNS: readonly Column<Shown>[] = [
  { title: 'NAME', value: row => row.name },
  { title: 'VALUE', value: row => row.value },
  { title: 'FROM', value: row => row.source },
  { title: 'VARIABLE', value: row => row.variable },
]

const show = defineVerb({
  about:
    'Show every setting and where its value comes from. An option on the command line goes before the environment, then the project file, the file of the user, the file of the system, and the default.',
  args: FORMAT,
  examples: ['config show', 'config show --format json'],
  async run(args) {
    const format = formatOf(args.format)
    const resolved = resolveSettings(readConfigFiles(configPlaces(process.env, process.cwd())), process.env)
    for (const [name, found] of resolved) checkResolved(name, found)
    const rows = Object.entries(SETTINGS).map(([name, { fallback }]) => ({
      name,
      value: resolved.get(name)?.value ?? fallback,
      source: resolved.get(name)?.source ?? 'default',
      variable: variablesOf(name)[0]!,
    }))
    if (format === 'json') printJsonList(rows)
    else print(renderTable(COLUMNS, rows, screenWidth()))
    return 0
  },
})

const init = defineVerb({
  about: `Write a configuration file that names every setting: ${PROJECT_FILE} here, or with --user the one of your account.`,
  args: {
    user: { type: 'boolean', description: 'write the file of your account' },
    force: { type: 'boolean', description: 'write over a file that is there' },
  },
  examples: ['config init', 'config init --user'],
  async run(args) {
    const path = args.user ? configPlaces(process.env, process.cwd()).user : join(process.cwd(), PROJECT_FILE)
    if (existsSync(path) && !args.force)
      throw cannotRun(`Cannot write ${path} as it is there already: --force writes over it`)
    try {
      makeWithParents(dirname(path))
      writeFileSync(path, renderTemplate())
    } catch (error) {
      throw cannotRun(`Cannot write ${path}: ${whyUnwritable(error)}`)
    }
    print(`Wrote ${path}. Every line is a comment: take away the # of what you want.`)
    return 0
  },
})

const paths = defineVerb({
  about: 'Name the configuration files that are read, the weakest first.',
  args: FORMAT,
  examples: ['config paths'],
  async run(args) {
    const format = formatOf(args.format)
    const files = readConfigFiles(configPlaces(process.env, process.cwd())).map(({ level, path }) => ({ level, path }))
    if (format === 'json') printJsonList(files)
    else
      print(
        files.length === 0 ? 'No configuration files.' : files.map(file => `${file.level}  ${file.path}`).join('\n'),
      )
    return 0
  },
})

const group: Group = {
  about: 'Settings from files and the environment, so that options need not be repeated.',
  verbs: { show: entryFor(show), init: entryFor(init), paths: entryFor(paths) },
}
export default group
