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
}

/**
 * Serves a database file by `runner server` on a free port while `work` goes on. Afterwards, whatever came of it, the server is ended and
 * the file whole. Throws when the server cannot start or does not end well.
 */
export async function withServer<T>(
  setting: Setting,
  directory: string,
  dbPath: string,
  work: (server: ServerProcess) => Promise<T>,
): Promise<T> {
  const outputDir = join(directory, 'server')
  const words = [
    runnerPath(setting),
    'server',
    ...['--port', '0'],
    ...['--output-dir', outputDir],
    ...['--db', dbPath],
    ...['--durability', setting.durability],
  ]
  const { pid, child, ended } = start(process.execPath, words, { cwd: directory })
  try {
    const infoPath = join(outputDir, 'headrace.json')
    const hasEnded = () => child.exitCode !== null || child.signalCode !== null
    const info = await waitUntil(
      'the address of the server',
      () => readServerInfo(infoPath) ?? (hasEnded() || undefined),
    )
    // Its own words say why.
    if (info === true) throw new Error(`Cannot start the server: ${(await ended).stderr.trim()}`)
    const result = await work({
      url: info.url,
      token: info.token,
      cpuSeconds: () => cpuSeconds(pid),
      peakMemoryMb: () => peakMemoryMb(pid),
    })
    child.kill('SIGTERM')
    succeeded('runner server', await ended)
    return result
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}
