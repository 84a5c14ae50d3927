import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync } from 'node:fs'
import type { Readable, Writable } from 'node:stream'

/**
 * A network and a file system tree of their own for programs of a test: what is cut or mounted there is cut or mounted for nobody else. It
 * has no name that another run could take, and the kernel removes it, with all interfaces and mounts, when the last program in it ends.
 */
export type Place = {
  /** Whose namespaces they are. */
  readonly pid: number
  /** Goes in front of a command that is to run there. The command keeps the process id. */
  readonly enter: readonly string[]
  /** Runs a command there to its end; throws with its words when it fails. */
  run(command: string, ...words: string[]): void
  /** Where a file of it is found from outside. Not for SQLite: it would follow the way in as a symbolic link, to where it leads here. */
  seen(path: string): string
  /** Copies a directory of it out. */
  copyOut(from: string, to: string): void
  close(): Promise<void>
}

/** Where the test itself runs. */
export const HERE: Place = placeOf(process.pid, [], async () => {})

/** Why this machine can give no such places; undefined when it can. Installs what is missing where that is allowed. */
export function whyNoPlaces(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'namespaces need root on Linux'
  if (!succeeds('ip', '-V')) install('iproute2')
  const trial =
    'ip link add hr0 type veth peer name hr1 && ip link add hr2 type bridge && mount -t tmpfs -o size=1m tmpfs /mnt'
  for (const command of ['ip', 'setpriv', 'nsenter'])
    if (!succeeds(command, '-V')) return `namespaces need the command ${command}`
  return succeeds('unshare', '--net', '--mount', 'sh', '-c', trial)
    ? undefined
    : 'this machine allows no namespaces, bridges or mounts'
}

const succeeds = (command: string, ...words: string[]): boolean =>
  spawnSync(command, words, { stdio: 'ignore' }).status === 0

function install(name: string): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const words of [['update'], ['install', '-y', '--no-install-recommends', name]])
    spawnSync('apt-get', ['-qq', ...words], { env, stdio: 'ignore', timeout: 300_000 })
}

/** Opens a place with nothing in it but a loopback and the files of this machine. */
export async function openPlace(): Promise<Place> {
  // It holds the place open until its input ends, which is with the test, however that ends.
  const holder: ChildProcessByStdio<Writable, Readable, null> = spawn('unshare', ['--net', '--mount', 'cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(holder, 'exit')
  holder.stdin.write('ready\n')
  await Promise.race([once(holder.stdout, 'data'), gone.then(() => Promise.reject(new Error('unshare ended at once')))])
  const pid = holder.pid!
  const place = placeOf(pid, ['nsenter', '--target', String(pid), '--net', '--mount', '--'], async () => {
    holder.stdin.end()
    await gone
  })
  place.run('ip', 'link', 'set', 'lo', 'up')
  return place
}

function placeOf(pid: number, enter: readonly string[], close: () => Promise<void>): Place {
  const seen = (path: string): string => (pid === process.pid ? path : `/proc/${pid}/root${path}`)
  return {
    pid,
    enter,
    seen,
    copyOut: (from, to) => cpSync(seen(from), to, { recursive: true }),
    run(command, ...words) {
      const [file, ...rest] = [...enter, command, ...words] as [string, ...string[]]
      execFileSync(file, rest, { stdio: ['ignore', 'ignore', 'pipe'] })
    },
    close,
  }
}
