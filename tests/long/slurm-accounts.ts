import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../helpers/free-port.ts'
import { type RealScheduler, startReal } from '../helpers/real-schedulers.ts'
import { startWatched, type WatchedProcess } from '../helpers/watched-process.ts'
import { installPackages } from './install-packages.ts'

/** Slurm of a test's own that keeps accounts: what `startReal` starts, a slurmdbd, and a MariaDB below it. */
export type AccountedSlurm = {
  slurm: RealScheduler
  /** Ends everything and removes its files. */
  stop(): Promise<void>
}

/** How the accounts are kept; looked at each second, so that a step of a few seconds has figures. */
const SETTINGS = {
  JobAcctGatherType: 'jobacct_gather/linux',
  JobAcctGatherFrequency: 'task=1',
  // A step over its memory is ended, as cgroups would do.
  JobAcctGatherParams: 'OverMemoryKill',
  AccountingStorageType: 'accounting_storage/slurmdbd',
  AccountingStorageHost: '127.0.0.1',
}

const READY_WITHIN_MS = 20_000
const LOOK_MS = 50

/** Starts Slurm with accounts. Needs root, and apt the first time; throws the words of what does not come up. */
export async function startAccountedSlurm(): Promise<AccountedSlurm> {
  installPackages({ slurmdbd: 'slurmdbd', mariadbd: 'mariadb-server' })
  const folder = mkdtempSync(join(tmpdir(), 'hr-accounts-'))
  const slurm = startReal('slurm')
  const ends: (() => unknown)[] = [() => slurm.stop()]
  const stop = async (): Promise<void> => {
    for (const end of ends) await end()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const database = await startDatabase(folder)
    ends.push(() => database.server.end())
    const accounts = await startAccounts(slurm, database.port)
    ends.push(() => accounts.server.end())
    await restart(slurm)
  } catch (error) {
    await stop()
    throw error
  }
  return { slurm, stop }
}

type Listening = { server: WatchedProcess; port: number }

/** A database server without users, for whoever reaches the loopback. */
async function startDatabase(folder: string): Promise<Listening> {
  const own = ['--no-defaults', '--user=root', `--datadir=${join(folder, 'data')}`]
  execFileSync('mariadb-install-db', [...own, '--skip-test-db', '--auth-root-authentication-method=normal'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const port = await freePort()
  const socket = `--socket=${join(folder, 'socket')}`
  const address = ['--bind-address=127.0.0.1', `--port=${port}`, socket]
  const server = startWatched('mariadbd', [...own, ...address, '--skip-grant-tables', '--skip-log-bin'], {})
  await untilSucceeds(server, process.env, 'mariadb-admin', '--no-defaults', socket, 'ping')
  return { server, port }
}

/** The daemon that keeps accounts, which is told of the cluster. Its settings have to lie beside those of Slurm. */
async function startAccounts({ directory, env }: RealScheduler, databasePort: number): Promise<Listening> {
  const port = await freePort()
  const settings = {
    AuthType: 'auth/munge',
    AuthInfo: `socket=${directory}/munge/sock`,
    DbdHost: 'localhost',
    DbdAddr: '127.0.0.1',
    DbdPort: String(port),
    SlurmUser: userInfo().username,
    PidFile: `${directory}/run/slurmdbd.pid`,
    LogFile: `${directory}/log/slurmdbd.log`,
    StorageType: 'accounting_storage/mysql',
    StorageHost: '127.0.0.1',
    StoragePort: String(databasePort),
    StorageUser: 'slurm',
  }
  // It refuses settings that others may read.
  writeFileSync(join(directory, 'slurmdbd.conf'), linesOf(settings), { mode: 0o600 })
  changeSettings(directory, {
    ...SETTINGS,
    AccountingStoragePort: String(port),
    // So it is called; it names the socket of munge, as AuthInfo does for the other daemons.
    AccountingStoragePass: `${directory}/munge/sock`,
  })
  const server = startWatched('slurmdbd', ['-D'], env)
  await untilSucceeds(server, env, 'sacctmgr', '-i', 'add', 'cluster', 'headrace')
  return { server, port }
}

const linesOf = (settings: Record<string, string>): string =>
  Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

/** Puts settings in place of those of the same name: Slurm's programs complain of a name that comes twice. */
function changeSettings(directory: string, settings: Record<string, string>): void {
  const path = join(directory, 'slurm.conf')
  const kept = readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => !(line.split('=')[0]! in settings))
  writeFileSync(path, linesOf(settings) + kept.join('\n'))
}

/**
 * Starts the daemons anew, which is when they read these settings. Never all at once: the script that starts them would write the settings
 * of its own again.
 */
async function restart(slurm: RealScheduler): Promise<void> {
  for (const names of [['slurmd-n1', 'slurmd-n2'], ['slurmctld']]) {
    const pids = names.map(name => slurm.daemon(name))
    for (const pid of pids) process.kill(pid, 'SIGTERM')
    for (const pid of pids) await until(`the end of ${names}`, () => hasEnded(pid))
    slurm.startAgain()
  }
}

/** A zombie counts as ended: not every PID 1 reaps. */
function hasEnded(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}

/** Runs a client until its server takes it; the last words of both are in the error of one that never does. */
async function untilSucceeds(server: WatchedProcess, env: NodeJS.ProcessEnv, command: string, ...words: string[]) {
  let last = ''
  const succeeds = (): boolean => {
    const { status, stdout, stderr } = spawnSync(command, words, { env, encoding: 'utf8', timeout: READY_WITHIN_MS })
    last = `${stdout}${stderr}`
    return status === 0
  }
  await until(`${command} to succeed`, succeeds, () => `${last}${server.said()}`)
}

async function until(what: string, isTrue: () => boolean, said: () => string = () => ''): Promise<void> {
  const untilMs = Date.now() + READY_WITHIN_MS
  while (!isTrue()) {
    if (Date.now() > untilMs) throw new Error(`Waited in vain for ${what}: ${said()}`)
    await sleep(LOOK_MS)
  }
}
