import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BUNDLE } from '../cli/program.ts'
import { freePort } from '../helpers/free-port.ts'

export type ControlPlanes = {
  urls: string[]
  token: string
  /** What they have said on standard error so far. */
  said(): string
  /** Kills one and starts it again a moment later. */
  kill(index: number): Promise<void>
  /** Stops one in its tracks for so long. */
  freeze(index: number, ms: number): Promise<void>
  stop(): Promise<void>
}

const TOKEN = 'soak-token'
/** A server that has not begun to answer by then never will. */
const READY_WITHIN_MS = 60_000

/** Starts servers as users do, on one database. */
export async function startControlPlanes(directory: string, db: string, count: number): Promise<ControlPlanes> {
  const ports = await Promise.all(Array.from({ length: count }, () => freePort()))
  const processes: ChildProcess[] = []
  let stopped = false
  let said = ''

  async function start(index: number): Promise<void> {
    const folder = join(directory, `server-${index}`)
    mkdirSync(folder, { recursive: true })
    const words = [BUNDLE, 'server', '--port', String(ports[index]), '--output-dir', folder, '--db', db]
    processes[index] = spawn(process.execPath, words, {
      env: { ...process.env, HEADRACE_TOKEN: TOKEN },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    processes[index].stderr?.on('data', (text: Buffer) => {
      said += text.toString()
    })
    const until = Date.now() + READY_WITHIN_MS
    while (!(await answers(`http://127.0.0.1:${ports[index]}/v1/ping`))) {
      if (processes[index].exitCode !== null) {
        // Its database is away, as it may be: a service manager starts it again.
        await sleep(500)
        if (!stopped && Date.now() < until) return start(index)
      }
      if (Date.now() > until) throw new Error(`Server ${index} does not answer`)
      await sleep(50)
    }
  }

  for (let index = 0; index < count; index++) await start(index)
  return {
    urls: ports.map(port => `http://127.0.0.1:${port}`),
    token: TOKEN,
    said: () => said,
    async kill(index) {
      const gone = once(processes[index]!, 'exit')
      processes[index]!.kill('SIGKILL')
      await gone
      await sleep(1_000)
      await start(index)
    },
    async freeze(index, ms) {
      processes[index]!.kill('SIGSTOP')
      await sleep(ms)
      processes[index]!.kill('SIGCONT')
    },
    async stop() {
      stopped = true
      for (const process of processes) {
        if (process.exitCode !== null || process.signalCode !== null) continue
        const gone = once(process, 'exit')
        process.kill('SIGTERM')
        await gone
      }
    },
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } }).then(
    async response => {
      await response.text()
      return response.ok
    },
    () => false,
  )
