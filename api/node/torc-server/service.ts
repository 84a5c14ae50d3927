import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { StartError } from '../start-error.ts'
import { parseOptions, UsageError } from './options.ts'

const UNIT = 'torc-server.service'
const VERBS = ['install', 'uninstall', 'start', 'stop', 'status'] as const

/**
 * Keeps the server as a service of systemd, the system's or with `--user` the caller's own. `install` takes the flags the server shall
 * have. Gives systemctl's exit code. Throws UsageError, and StartError where there is no systemd or the unit cannot be written.
 */
export function manageService(words: readonly string[]): number {
  const [word, ...rest] = words
  const verb = VERBS.find(known => known === word)
  if (verb === undefined) throw new UsageError(`Cannot do service ${word ?? ''}: it must be one of ${VERBS.join(', ')}`)
  const ofUser = rest.includes('--user')
  const flags = rest.filter(flag => flag !== '--user')
  if (verb !== 'install' && flags.length > 0) throw new UsageError(`Cannot use ${flags[0]} with service ${verb}`)
  const path = unitPath(ofUser)
  switch (verb) {
    case 'install':
      // Refuses now what would fail at every start of the service.
      parseOptions(flags, process.env)
      writeUnit(path, unitText(flags, ofUser))
      return systemctl(ofUser, 'daemon-reload') || systemctl(ofUser, 'enable', UNIT)
    case 'uninstall':
      systemctl(ofUser, 'disable', '--now', UNIT)
      rmSync(path, { force: true })
      return systemctl(ofUser, 'daemon-reload')
    default:
      return systemctl(ofUser, verb, UNIT)
  }
}

const unitPath = (ofUser: boolean): string =>
  ofUser
    ? join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'systemd/user', UNIT)
    : join('/etc/systemd/system', UNIT)

function unitText(flags: readonly string[], ofUser: boolean): string {
  const command = [process.execPath, process.argv[1]!, 'run', ...flags].map(quoted).join(' ')
  return `[Unit]
Description=Headrace, serving clients of Torc
After=network.target

[Service]
ExecStart=${command}
Restart=on-failure

[Install]
WantedBy=${ofUser ? 'default.target' : 'multi-user.target'}
`
}

/** One word as systemd reads it: quotes and backslashes are escaped, a percent sign or a dollar doubled. */
const quoted = (word: string): string =>
  `"${word
    .replace(/["\\]/g, '\\$&')
    .replaceAll('%', '%%')
    .replaceAll('$', () => '$$')}"`

function writeUnit(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  } catch (error) {
    throw new StartError(`Cannot write ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function systemctl(ofUser: boolean, ...words: string[]): number {
  const { status, error } = spawnSync('systemctl', [...(ofUser ? ['--user'] : []), ...words], { stdio: 'inherit' })
  if (error !== undefined) throw new StartError('Cannot manage services as there is no systemd here: no systemctl')
  return status ?? 1
}
