import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, unlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { recordLife, recordLifeEnd } from './journal.ts'
import { JournalTail } from './journal-tail.ts'
import { reportLoss } from './loss.ts'
import { neverRan } from './outcome.ts'
import {
  buildMark,
  hasProc,
  MARK_NAME,
  readProcess,
  signalGroup,
  signalMarked,
  signalProcess,
  startedWithin,
  type TickWindow,
} from './processes.ts'
import type { JournaledLaunch } from './records.ts'
import { findFault, isTooLong } from './request.ts'
import { makeScratch, removeScratch } from './scratch.ts'
import { Search } from './search.ts'
import { Slot, type SlotSite, startScript } from './slot.ts'
import { SlotEnvironment } from './slot-environment.ts'
import { DEFAULT_PATH } from './slot-request.ts'
import type { Exited, Launcher, LauncherEvents, LauncherOptions, LaunchRequest, Started } from './types.ts'

/** While launches wait in the slots the journal is read so often, and the slots say nothing: one look serves many jobs. */
const LOOK_MS = 15
/** Strays outside their group are looked for this long after an exit: a walk over all processes costs milliseconds. */
const SWEEP_DELAY_MS = 500
/** At the end: 2 s in all, for processes that the kernel lets go slowly. */
const LAST_ROUNDS = 100
const LAST_ROUND_MS = 20

type Job = {
  slot: Slot
  /** Given to the slot behind another launch: the shell asks before it starts it. */
  queued: boolean
  process?: { pid: number; window: TickWindow }
  /** Signals that came between the request and the report of the start. */
  signals: NodeJS.Signals[]
}

/** Starts the stand-in; rejects without bash, or when the journal cannot be written. */
export async function openShell(options: LauncherOptions): Promise<Launcher> {
  const launcherId = randomBytes(8).toString('hex')
  const journal = resolve(options.journal)
  const scratch = makeScratch(launcherId)
  const watchdog = startScript('watchdog.sh', [launcherId, journal, scratch], {})
  await new Promise<void>((settle, reject) => {
    watchdog.once('spawn', settle)
    watchdog.once('error', error =>
      reject(new Error(`Cannot open the shell stand-in as bash does not start: ${error.message}`)),
    )
  })
  try {
    recordLife(journal, launcherId, 'shell', watchdog.pid ?? 0)
  } catch (error) {
    watchdog.stdin?.end('close\n')
    removeScratch(launcherId)
    throw error
  }
  const { [MARK_NAME]: _, ...environment } = process.env as Record<string, string>
  return new ShellLauncher(
    watchdog,
    { launcherId, journal, scratch, memoryGroups: options.memoryGroups, environment: new SlotEnvironment(environment) },
    options,
  )
}

class ShellLauncher implements Launcher {
  readonly kind = 'shell'
  readonly #watchdog: ChildProcess
  readonly #site: SlotSite
  readonly #events: LauncherEvents
  readonly #tail: JournalTail
  /** Launches that nobody has said to have started. */
  readonly #unstarted = new Set<number>()
  #look: NodeJS.Timeout | undefined
  readonly #slots: Slot[] = []
  readonly #jobs = new Map<number, Job>()
  #sweep: NodeJS.Timeout | undefined
  #state: 'open' | 'closing' | 'over' = 'open'
  readonly #over: Promise<void>
  #finish: () => void = () => {}

  constructor(watchdog: ChildProcess, site: SlotSite, events: LauncherEvents) {
    this.#watchdog = watchdog
    this.#site = site
    this.#events = events
    this.#tail = new JournalTail(site.journal)
    this.#over = new Promise(settle => {
      this.#finish = settle
    })
    watchdog.stdin?.on('error', () => {})
    watchdog.once('close', () => this.#lose('The watchdog of the launcher ended unexpectedly'))
  }

  launch(request: LaunchRequest): void {
    const fault = findFault(request) ?? (isTooLong(request, this.#site.environment.base) ? 'E2BIG' : undefined)
    if (fault) {
      setImmediate(() => this.#events.onExited([neverRan(request.tag, fault, fault === 'E2BIG' ? 'exec' : 'request')]))
      return
    }
    const leader = request.after === undefined ? undefined : this.#jobs.get(request.after)
    const slot = leader?.slot ?? this.#slots.find(({ tags }) => tags.length === 0) ?? this.#openSlot()
    this.#jobs.set(request.tag, { slot, queued: leader !== undefined, signals: [] })
    slot.tags.push(request.tag)
    this.#unstarted.add(request.tag)
    this.#look ??= setInterval(() => this.#read(), LOOK_MS)
    const { environment, launcherId } = this.#site
    const { PATH: path = environment.base.PATH } = request.env
    const plan = environment.plan(request.env, buildMark(launcherId, request.tag))
    slot.launch(request, leader !== undefined, path ?? DEFAULT_PATH, plan)
  }

  signal(tag: number, signal: NodeJS.Signals): void {
    const job = this.#jobs.get(tag)
    if (!job) return
    if (job.process) this.#signalProcess(tag, job.process, signal)
    else if (!job.queued || existsSync(this.#startFile(tag))) job.signals.push(signal)
  }

  async recall(tag: number, onAnswer?: (recalled: boolean) => void): Promise<boolean> {
    const job = this.#jobs.get(tag)
    // Once it has started, the file that decides may be gone again.
    const recalled = job?.queued === true && job.process === undefined && this.#decideStart(tag)
    if (job && recalled) {
      job.slot.tags.splice(job.slot.tags.indexOf(tag), 1)
      this.#jobs.delete(tag)
      this.#unstarted.delete(tag)
    }
    onAnswer?.(recalled)
    return recalled
  }

  async close(options: { kill?: boolean } = {}): Promise<void> {
    if (this.#state === 'open') this.#state = 'closing'
    if (options.kill && this.#state === 'closing') await this.#cut()
    await this.#endWhenIdle()
    await this.#over
  }

  #openSlot(): Slot {
    const slot = new Slot(
      this.#site,
      this.#slots.length,
      () => this.#read(),
      () => this.#lose('A shell of the launcher ended unexpectedly'),
    )
    this.#slots.push(slot)
    if (slot.pid > 0) this.#watchdog.stdin?.write(`slot ${slot.pid}\n`)
    return slot
  }

  /** Makes the file that the shell would make before it starts a queued launch: whoever is first decides. */
  #decideStart(tag: number): boolean {
    try {
      writeFileSync(this.#startFile(tag), '', { flag: 'wx' })
      return true
    } catch {
      return false
    }
  }

  #startFile(tag: number): string {
    return join(this.#site.scratch, `go.${tag}`)
  }

  /** Not by rmSync(), which costs several times as much. */
  #forgetStartFile(tag: number): void {
    try {
      unlinkSync(this.#startFile(tag))
    } catch {
      // Somebody has cleared the directory: the launch has started, and nobody looks for the file any more.
    }
  }

  #signalProcess(tag: number, { pid, window }: NonNullable<Job['process']>, signal: NodeJS.Signals): void {
    const main = readProcess(pid)
    // When the main process is gone, its slot is ending the group already, and the number may be somebody else's.
    if (hasProc ? main && startedWithin(main, window) : true) signalGroup(pid, signal)
    const own = `${this.#site.launcherId}.${tag}`
    signalMarked((mark, found) => mark === own && found.group !== pid, signal)
  }

  /** Tells what the journal says since the last time. */
  #read(): void {
    if (this.#state === 'over') return
    const started: Started[] = []
    const exited: Exited[] = []
    for (const record of this.#tail.read()) {
      if (record.type === 'start' && record.launch.launcherId === this.#site.launcherId) {
        this.#unstarted.delete(record.launch.tag)
        if (record.launch.pid > 0) started.push(this.#noteStart(record.launch))
      } else if (record.type === 'exit' && record.launcherId === this.#site.launcherId) {
        exited.push(this.#noteExit(record.exit))
      }
    }
    if (this.#unstarted.size === 0) this.#stopLooking()
    if (started.length > 0) this.#events.onStarted(started)
    if (exited.length === 0) return
    this.#events.onExited(exited)
    this.#sweep ??= setTimeout(() => this.#sweepStrays(), SWEEP_DELAY_MS).unref()
    if (this.#state === 'closing') void this.#endWhenIdle()
  }

  #stopLooking(): void {
    clearInterval(this.#look)
    this.#look = undefined
  }

  #noteStart({ tag, pid, window, startedAtMs }: JournaledLaunch): Started {
    const job = this.#jobs.get(tag)
    if (job) {
      job.process = { pid, window }
      for (const signal of job.signals) this.#signalProcess(tag, job.process, signal)
      if (job.queued) this.#forgetStartFile(tag)
    }
    return { tag, pid, startedAtMs }
  }

  #noteExit(exit: Exited): Exited {
    const tags = this.#jobs.get(exit.tag)?.slot.tags
    tags?.splice(tags.indexOf(exit.tag), 1)
    this.#jobs.delete(exit.tag)
    return exit
  }

  /** Ends processes that left the group of a job that has ended. The slots bear a mark too, with a word for a tag. */
  #sweepStrays(): void {
    this.#sweep = undefined
    const own = `${this.#site.launcherId}.`
    const isEnded = (tag: number) => Number.isInteger(tag) && !this.#jobs.has(tag)
    signalMarked(mark => mark.startsWith(own) && isEnded(Number(mark.slice(own.length))), 'SIGKILL')
  }

  /** Kills what runs and drops what waits. */
  async #cut(): Promise<void> {
    // By this file the shells know that a KILL from now on is no result.
    writeFileSync(join(this.#site.scratch, 'cut'), '')
    const canceled: Exited[] = []
    // What waits first: a kill lets its successor start.
    for (const tag of [...this.#jobs.keys()])
      if (await this.recall(tag)) canceled.push(neverRan(tag, 'ECANCELED', 'canceled'))
    for (const tag of this.#jobs.keys()) this.signal(tag, 'SIGKILL')
    if (canceled.length > 0) this.#events.onExited(canceled)
  }

  async #endWhenIdle(): Promise<void> {
    if (this.#state !== 'closing' || this.#jobs.size > 0) return
    this.#state = 'over'
    clearTimeout(this.#sweep)
    await Promise.all(this.#slots.map(slot => slot.end()))
    const gone = once(this.#watchdog, 'close')
    this.#watchdog.stdin?.end('close\n')
    await gone
    await this.#endAllStrays()
    recordLifeEnd(this.#site.journal, this.#site.launcherId)
    this.#cleanUp()
  }

  async #endAllStrays(): Promise<void> {
    const own = `${this.#site.launcherId}.`
    const search = new Search({ isSought: (_, marks) => marks?.some(mark => mark.startsWith(own)) ?? false })
    for (let round = 0; round < LAST_ROUNDS; round++) {
      const { found, over } = search.look()
      if (over) return
      for (const { pid } of found) signalProcess(pid, 'SIGKILL')
      // The second look of a quiet end follows at once.
      if (found.length > 0 || round > 0) await sleep(LAST_ROUND_MS)
    }
  }

  #lose(reason: string): void {
    if (this.#state === 'over') return
    this.#read()
    this.#state = 'over'
    clearTimeout(this.#sweep)
    // Without the word `close` the watchdog ends everything; if it was the watchdog that died, the slots end here.
    this.#watchdog.stdin?.end()
    for (const slot of this.#slots) slot.forsake()
    const { journal, launcherId } = this.#site
    void reportLoss(journal, launcherId, new Set(this.#jobs.keys()), this.#events, reason).then(() => this.#cleanUp())
  }

  #cleanUp(): void {
    this.#stopLooking()
    this.#tail.close()
    removeScratch(this.#site.launcherId)
    this.#finish()
  }
}
