import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Place } from './soak-place.ts'

/** A program that is started again whenever it ends, as a service manager does. It never outlives the test. */
export type Service = {
  /** What it has said on standard error so far. */
  said(): string
  /** How often it has ended of its own accord after it had come up. */
  readonly deaths: number
  /** Kills it, and waits until it is up again. */
  kill(): Promise<void>
  /** Stops it in its tracks for so long. */
  freeze(ms: number): Promise<void>
  stop(): Promise<void>
}

export type ServiceOptions = {
  place: Place
  command: readonly string[]
  env: NodeJS.ProcessEnv
  /** Asked again and again after a start. */
  isUp(): Promise<boolean>
}

/** One that has not come up by then never will. */
const UP_WITHIN_MS = 60_000
const PAUSE_BEFORE_START_MS = 1_000
const LOOK_MS = 50

/** Starts it and waits until it is up. Throws with its words when it does not come up. */
export async function startService({ place, command, env, isUp }: ServiceOptions): Promise<Service> {
  let child: ChildProcess
  let said = ''
  let deaths = 0
  /** It was killed or started, and has not come up since: it may end once more, as one does whose database is away. */
  let isAwaited = false
  let isStopped = false

  function start(): void {
    isAwaited = true
    child = spawn('setpriv', ['--pdeathsig', 'KILL', ...place.enter, ...command], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr!.on('data', (text: Buffer) => {
      said += text
    })
    child.once('exit', () => {
      if (isStopped) return
      const wasUp = !isAwaited
      if (wasUp) deaths++
      setTimeout(() => {
        if (isStopped) return
        start()
        // One that never comes up again is noticed by who waits for its answers.
        if (wasUp) untilUp().catch(() => {})
      }, PAUSE_BEFORE_START_MS)
    })
  }

  async function untilUp(): Promise<void> {
    const until = Date.now() + UP_WITHIN_MS
    while (!(await isUp())) {
      if (Date.now() > until) throw new Error(`${command.join(' ')} does not come up: ${said}`)
      await sleep(LOOK_MS)
    }
    isAwaited = false
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  start()
  await untilUp()
  return {
    said: () => said,
    get deaths() {
      return deaths
    },
    async kill() {
      isAwaited = true
      await end('SIGKILL')
      await untilUp()
    },
    async freeze(ms) {
      child.kill('SIGSTOP')
      await sleep(ms)
      child.kill('SIGCONT')
    },
    async stop() {
      isStopped = true
      await end('SIGTERM')
    },
  }
}

/** Whether something answers well at an address now. */
export const answers = (url: string, headers: Record<string, string> = {}): Promise<boolean> =>
  fetch(url, { headers, signal: AbortSignal.timeout(2_000) }).then(
    async response => {
      await response.text()
      return response.ok
    },
    () => false,
  )
