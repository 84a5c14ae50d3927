import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { cannotRun, usageError } from '../command-line/error.ts'
import { print } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { isUrl } from '../local-server.ts'
import { readServeOptions, SERVE_OPTIONS, valuesOf } from '../service/serve-options.ts'
import { renderUnit } from '../service/unit.ts'

const UNIT_NAME = 'headrace.service'

const ARGS = {
  user: { type: 'boolean', description: 'for your own systemd, without root' },
  'dry-run': { type: 'boolean', description: 'print the unit and write nothing' },
  force: { type: 'boolean', description: 'write over a unit that is there and differs' },
  ...SERVE_OPTIONS,
} as const

export default defineVerb({
  about:
    'Write a systemd unit that serves with these options, and print it. A token file is made if none is named; no token ever stands in the unit.',
  args: ARGS,
  examples: [
    'server install --user --output-dir ~/headrace --dry-run',
    'server install --user --host 0.0.0.0 --port 8080 --output-dir ~/headrace --token-file ~/headrace/token',
  ],
  async run(args, rawArgs) {
    if (!args.user) throw usageError('Cannot install a service for the whole system: add --user, for your own')
    // A unit with a mistake in it would fail at its start only.
    readServeOptions(args, rawArgs, process.env)
    const directory = resolve(args['output-dir'] ?? OUTPUT_DIR)
    const given = { 'token-file': join(directory, 'token'), ...valuesOf(args, rawArgs), 'output-dir': directory }
    const unit = renderUnit({ words: [...program(), 'server', ...optionWords(given)], directory })
    if (args['dry-run']) {
      print(unit)
      return 0
    }
    const path = join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'systemd', 'user', UNIT_NAME)
    writeUnit(path, unit, args.force === true)
    // systemd would fail to enter a directory that is not there.
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    print(unit)
    process.stderr.write(`Wrote ${path}. Start it, now and at each login:\n${NEXT_STEPS}`)
    return 0
  },
})

const NEXT_STEPS = `  systemctl --user daemon-reload
  systemctl --user enable --now ${UNIT_NAME}
  loginctl enable-linger        # to keep it running when you are logged out
`

/** How this very program was started; systemd has another PATH. */
const program = (): string[] => [process.execPath, resolve(process.argv[1] ?? '')]

const PATHS: ReadonlySet<string> = new Set([
  'db-token-file',
  'db-admin-key-file',
  'token-file',
  'auth-file',
  'tls-cert',
  'tls-key',
])

type Given = Readonly<Record<string, string | true | readonly string[]>>

function optionWords(given: Given): string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    if (value === true) return [`--${name}`]
    return [value].flat().flatMap(text => [`--${name}`, absolute(name, text)])
  })
}

function absolute(name: string, text: string): string {
  if (name === 'db') return isUrl(text) ? text : resolve(text)
  return PATHS.has(name) ? resolve(text) : text
}

function writeUnit(path: string, unit: string, force: boolean): void {
  try {
    if (!force && existsSync(path) && readFileSync(path, 'utf8') !== unit)
      throw cannotRun(`Cannot write ${path} as it is there already and differs: look at it, then add --force`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, unit)
  } catch (error) {
    if (error instanceof Error && 'code' in error) throw cannotRun(`Cannot write ${path}: ${error.message}`)
    throw error
  }
}
