import { join } from 'node:path'
import { readServerInfo } from '../../runner/server-info.ts'
import { runnerPath } from './headrace.ts'
import { start, succeeded } from './process.ts'
import { cpuSeconds, peakMemoryMb } from './process-facts.ts'
import type { Setting } from './types.ts'
import { waitUntil } from './wait-until.ts'

export type Address = { url: string; token: string }

export type ServerProcess = Address & {
  /** CPU seconds used so far. Linux only, as is the peak: NaN elsewhere. */
  cpuSeconds(): number
  peakMemoryMb(): number
  /** Ends it and waits until the database file is whole. */
  stop(): Promise<void>
}

/** Starts `runner server` on a free port over the given database file. */
export async function startServer(setting: Setting, directory: string, dbPath: string): Promise<ServerProcess> {
  const outputDir = join(directory, 'server')
  const words = [
    runnerPath(setting),
    'server',
    ...['--port', '0'],
    ...['--output-dir', outputDir],
    ...['--db', dbPath],
    ...['--durability', setting.durability],
  ]
  const server = start(process.execPath, words, { cwd: directory })
  // When it ends before it serves, its own words are the reason.
  const early = server.ended.then(ended => {
    throw new Error(`Cannot start the server: ${ended.stderr.trim()}`)
  })
  const info = await Promise.race([
    early,
    waitUntil("the server's address", () => readServerInfo(join(outputDir, 'headrace.json'))),
  ])
  early.catch(() => {})
  return {
    url: info.url,
    token: info.token ?? '',
    cpuSeconds: () => cpuSeconds(server.pid),
    peakMemoryMb: () => peakMemoryMb(server.pid),
    async stop() {
      server.child.kill('SIGTERM')
      succeeded('runner server', await server.ended)
    },
  }
}
