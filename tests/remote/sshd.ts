import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../helpers/free-port.ts'
import { waitUntil } from '../launcher/harness.ts'

const PLACES = ['/usr/sbin/sshd', '/usr/bin/sshd', '/usr/local/sbin/sshd']
const PROGRAM = PLACES.find(path => existsSync(path))

/** Why no ssh server can be started on this machine; undefined when one can. */
export const noSshd = PROGRAM === undefined ? 'tests over ssh: sshd is not installed (openssh-server)' : undefined

export type Sshd = {
  /** As a worker is named: user, host and port. */
  worker: string
  /** Options of ssh that let the caller in, as `--ssh-option` has them. */
  settings: readonly string[]
  /** The home directory of whoever logs in. */
  home: string
  close(): Promise<void>
}

/** Starts an ssh server of the caller's own user on a free port of loopback, with keys and a home directory of its own. */
export async function startSshd(): Promise<Sshd> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-sshd-'))
  const path = (name: string): string => join(directory, name)
  for (const name of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path(name)], { stdio: 'ignore' })
  mkdirSync(path('home'))
  const port = await freePort()
  writeFileSync(
    path('config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${path('host')}`,
      `AuthorizedKeysFile ${path('user.pub')}`,
      'PidFile none',
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      `SetEnv HOME=${path('home')}`,
      '',
    ].join('\n'),
  )
  // Where root keeps it; an ordinary user's server needs none.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true })
  const child = spawn(PROGRAM!, ['-D', '-e', '-f', path('config')], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', chunk => (said += chunk))
  await waitUntil(
    'sshd listens',
    () => said,
    text => text.includes('Server listening') || child.exitCode !== null,
  )
  if (child.exitCode !== null || !(await answers(port))) throw new Error(`Cannot start sshd: ${said}`)
  return {
    worker: `${userInfo().username}@127.0.0.1:${port}`,
    settings: [
      `IdentityFile=${path('user')}`,
      'IdentitiesOnly=yes',
      'StrictHostKeyChecking=no',
      `UserKnownHostsFile=${path('known')}`,
      'LogLevel=ERROR',
    ],
    home: path('home'),
    async close() {
      await ended(child)
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

const ended = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (child.exitCode !== null) return resolve()
    child.on('exit', () => resolve())
    child.kill()
  })
