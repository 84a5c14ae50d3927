import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import { recordLife, recordLifeEnd } from './journal.ts'
import { reportLoss } from './loss.ts'
import { neverRan } from './outcome.ts'
import { findFault } from './request.ts'
import { sendTogether } from './send.ts'
import type { Exited, Launcher, LauncherEvents, LauncherOptions, LaunchRequest, Started } from './types.ts'
import {
  encodeClose,
  encodeKeep,
  encodeLaunch,
  encodeRecall,
  encodeSignal,
  type Report,
  ReportReader,
  WIRE_VERSION,
} from './wire.ts'

/** A helper that does not speak by then was built for another machine, or the machine is beyond help. */
const HELLO_PATIENCE_MS = 10_000

/** The helper, as its own runner has it or as the next one finds it. */
export type Helper = {
  input: Writable
  output: Readable
  /** Resolves when it is gone: with 0 when it ended in order. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** What it says when it cannot go on. */
  complaint(): string
  kill(): void
}

/** Starts the native launcher; rejects when this machine cannot run the binary or the journal cannot be written. */
export async function openNative(
  binary: string,
  {
    journal,
    memoryGroups,
    patienceMs = 0,
    ...events
  }: Pick<LauncherOptions, 'journal' | 'memoryGroups' | 'patienceMs'> & LauncherEvents,
): Promise<Launcher> {
  const launcherId = randomBytes(8).toString('hex')
  // A session of its own: an interrupt at the terminal is the runner's to handle, and jobs find no terminal to wait for.
  const words = [journal, launcherId, String(patienceMs), ...(memoryGroups === undefined ? [] : [memoryGroups])]
  const child = spawn(binary, words, { stdio: 'pipe', detached: true })
  const launcher = new NativeLauncher(helperOf(child), { journal, launcherId, running: [] }, events)
  try {
    recordLife(journal, launcherId, 'native', child.pid ?? 0)
    await launcher.ready
  } catch (error) {
    launcher.abandon()
    throw new Error(`Cannot start the native launcher: ${(error as Error).message}`)
  }
  return launcher
}

function helperOf(child: ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable }): Helper {
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => {
    complaint += text.toString()
  })
  return {
    input: child.stdin,
    output: child.stdout,
    ended: new Promise(resolve => {
      child.once('error', error => {
        complaint ||= error.message
        resolve({ code: null, signal: null })
      })
      child.once('close', (code, signal) => resolve({ code, signal }))
    }),
    complaint: () => complaint.trim(),
    kill: () => void child.kill('SIGKILL'),
  }
}

/** A helper's life, the tags of what it runs already, and what was heard of it so far. */
export type HelperLife = {
  journal: string
  launcherId: string
  running: readonly number[]
  heard?: Report[]
  reader?: ReportReader
}

export class NativeLauncher implements Launcher {
  readonly kind = 'native'
  readonly #helper: Helper
  readonly #journal: string
  readonly #launcherId: string
  readonly #events: LauncherEvents
  readonly #running: Set<number>
  readonly #recalls = new Map<number, (recalled: boolean) => void>()
  readonly #ended: Promise<void>
  /** Settled by the helper's first word: rejected when it dies, keeps silent or is of another version. */
  readonly ready: Promise<void>
  #greet: (failure?: Error) => void = () => {}
  #greeted = false
  #state: 'open' | 'closing' | 'abandoned' = 'open'

  constructor(helper: Helper, life: HelperLife, events: LauncherEvents) {
    const { journal, launcherId, running, heard = [], reader = new ReportReader() } = life
    this.#helper = helper
    this.#journal = journal
    this.#launcherId = launcherId
    this.#running = new Set(running)
    this.#events = events
    this.ready = this.#awaitGreeting()
    // Whoever opens the launcher hears of a failure; he may have given up before.
    this.ready.catch(() => {})
    if (heard.length > 0) setImmediate(() => this.#handle(heard))
    helper.output.on('data', (chunk: Buffer) => this.#handle(reader.read(chunk)))
    // Writing to a helper that has died: its end is noticed by itself.
    helper.input.on('error', () => {})
    this.#ended = helper.ended.then(({ code, signal }) => this.#handleEnd(code, signal))
  }

  #awaitGreeting(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#greet(new Error('it keeps silent')), HELLO_PATIENCE_MS)
      this.#greet = failure => {
        clearTimeout(timer)
        if (failure) return reject(failure)
        this.#greeted = true
        resolve()
      }
    })
  }

  launch(request: LaunchRequest): void {
    const fault = findFault(request)
    if (fault) {
      setImmediate(() => this.#events.onExited([neverRan(request.tag, fault, 'request')]))
      return
    }
    this.#running.add(request.tag)
    sendTogether(this.#helper.input, encodeLaunch(request))
  }

  signal(tag: number, signal: NodeJS.Signals): void {
    if (this.#running.has(tag)) sendTogether(this.#helper.input, encodeSignal(tag, signal))
  }

  async recall(tag: number, onAnswer?: (recalled: boolean) => void): Promise<boolean> {
    if (!this.#running.has(tag)) {
      onAnswer?.(false)
      return false
    }
    return new Promise(resolve => {
      this.#recalls.set(tag, recalled => {
        onAnswer?.(recalled)
        resolve(recalled)
      })
      sendTogether(this.#helper.input, encodeRecall(tag))
    })
  }

  /** Of a launcher that was taken over: this runner answers for its jobs from now on. Until then their time runs out. */
  keep(): void {
    sendTogether(this.#helper.input, encodeKeep())
  }

  /** Ends a helper that nobody got to use. */
  abandon(): void {
    this.#state = 'abandoned'
    this.#helper.kill()
  }

  async close(options: { kill?: boolean } = {}): Promise<void> {
    this.#state = 'closing'
    sendTogether(this.#helper.input, encodeClose(options.kill ?? false))
    await this.#ended
  }

  #handle(reports: Report[]): void {
    const started: Started[] = []
    const exited: Exited[] = []
    for (const report of reports) {
      if (report.type === 'started') started.push(report.started)
      else if (report.type === 'exited') exited.push(report.exited)
      else if (report.type === 'recalled') this.#settleRecall(report.tag, report.recalled)
      else this.#greet(report.version === WIRE_VERSION ? undefined : new Error('it is of another version'))
    }
    for (const { tag } of exited) this.#running.delete(tag)
    if (started.length > 0) this.#events.onStarted(started)
    if (exited.length > 0) this.#events.onExited(exited)
  }

  #settleRecall(tag: number, recalled: boolean): void {
    if (recalled) this.#running.delete(tag)
    this.#recalls.get(tag)?.(recalled)
    this.#recalls.delete(tag)
  }

  async #handleEnd(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    for (const tag of [...this.#recalls.keys()]) this.#settleRecall(tag, false)
    if (this.#state === 'abandoned' || (this.#state === 'closing' && code === 0)) {
      recordLifeEnd(this.#journal, this.#launcherId)
      return
    }
    const reason = this.#helper.complaint() || `The launcher ended unexpectedly: ${signal ?? `exit code ${code}`}`
    if (!this.#greeted) {
      this.#greet(new Error(reason))
      return
    }
    await reportLoss(this.#journal, this.#launcherId, this.#running, this.#events, reason)
  }
}
