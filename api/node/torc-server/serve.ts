import { rmSync, writeFileSync } from 'node:fs'
import { type RunningServer, startServer } from '../../node.ts'
import { StartError } from '../start-error.ts'
import { createLog } from './log.ts'
import type { LauncherOptions } from './options.ts'
import { type SnapshotPlan, snapshotPlan, takeSnapshot } from './snapshots.ts'

type Log = (line: string) => void

/**
 * Serves until a signal, or the end of standard input when asked for. A parent reads standard output line by line: the port, then one
 * line per snapshot (contract/notes.md 17.2, 17.4). Throws StartError when it cannot start, before the line with the port.
 */
export async function serve(options: LauncherOptions, version: string): Promise<void> {
  const log = createLog(options)
  // A parent may signal as soon as it has read the port: by then nothing may be left to the signals' own effect.
  const stop = stopRequest(options.stopAtEndOfInput)
  const snapshots = snapshotRequests()
  const server = await startServer({
    dbPath: options.database,
    host: options.host,
    port: options.port,
    durability: 'process',
    token: process.env.HEADRACE_TOKEN || undefined,
    access: options.access,
    version,
    dialect: options.dialect,
    limits: options.bulkBodyBytes === undefined ? undefined : { bulkBodyBytes: options.bulkBodyBytes },
    tls: options.tls,
    log,
  })
  try {
    snapshots.serveWith(() => snapshot(server, snapshotPlan(process.env), log))
    if (options.pidFile !== undefined) writePidFile(options.pidFile)
    process.stdout.write(`TORC_SERVER_PORT=${server.port}\n`)
    log(`Serving ${options.database} at ${server.url}`)
    log(`Stopping: ${await stop}`)
    if (options.pidFile !== undefined) rmSync(options.pidFile, { force: true })
  } finally {
    // Reading it keeps the process alive.
    process.stdin.destroy()
    await server.close()
  }
}

/** Resolves with the reason when the server is to stop. A second signal ends the process the usual way. */
function stopRequest(atEndOfInput: boolean): Promise<string> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(signal))
    if (!atEndOfInput) return
    process.stdin.once('end', () => resolve('standard input has ended'))
    process.stdin.once('error', () => resolve('standard input has failed'))
    process.stdin.resume()
  })
}

/** Takes SIGUSR1 from now on; those that come before there is a database count as one, once there is. */
function snapshotRequests(): { serveWith(take: () => Promise<void>): void } {
  let take: (() => Promise<void>) | undefined
  let wanted = false
  let writing = false

  async function takeAll(): Promise<void> {
    if (take === undefined || writing) return
    writing = true
    while (wanted) {
      // A signal that comes while one is written asks for another.
      wanted = false
      await take()
    }
    writing = false
  }
  process.on('SIGUSR1', () => {
    wanted = true
    void takeAll()
  })
  return {
    serveWith(given) {
      take = given
      void takeAll()
    },
  }
}

async function snapshot(server: RunningServer, plan: SnapshotPlan, log: Log): Promise<void> {
  try {
    await takeSnapshot(server.db, plan)
    process.stdout.write(`TORC_SNAPSHOT_DONE=${plan.path}\n`)
  } catch (error) {
    log(`Cannot write the snapshot ${plan.path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function writePidFile(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`)
  } catch (error) {
    throw new StartError(`Cannot write the pid file: ${error instanceof Error ? error.message : String(error)}`)
  }
}
