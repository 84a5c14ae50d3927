import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, unlink, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { recordLife, recordLifeEnd } from './journal.ts'
import { reportLoss } from './loss.ts'
import { neverRan } from './outcome.ts'
import {
  hasProc,
  MARK_NAME,
  readProcess,
  signalGroup,
  signalMarked,
  startedWithin,
  type TickWindow,
} from './processes.ts'
import type { JournaledLaunch, JournalRecord } from './records.ts'
import { encodeLabel, findFault, isTooLong, listOverlay } from './request.ts'
import { encodeTexts, Slot, type SlotSite, startScript } from './slot.ts'
import type { Exited, Launcher, LauncherEvents, LauncherOptions, LaunchRequest, Started } from './types.ts'

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
  const watchdog = startScript('watchdog.sh', [launcherId, journal], {})
  await new Promise<void>((settle, reject) => {
    watchdog.once('spawn', settle)
    watchdog.once('error', error =>
      reject(new Error(`Cannot open the shell stand-in as bash does not start: ${error.message}`)),
    )
  })
  recordLife(journal, launcherId, 'shell', watchdog.pid ?? 0)
  return new ShellLauncher(watchdog, launcherId, journal, options)
}

/** In memory where that can be had: the shells write a few small files for each job. */
function makeScratch(): string {
  try {
    return mkdtempSync('/dev/shm/headrace-')
  } catch {
    return mkdtempSync(join(tmpdir(), 'headrace-'))
  }
}

/** The marks of launchers around us stay in front, so that the outermost one finds our jobs too. */
function buildMark(launcherId: string, tag: number | string): string {
  const inherited = process.env[MARK_NAME]
  return `${inherited === undefined ? '' : `${inherited} `}${launcherId}.${tag}`
}

class ShellLauncher implements Launcher {
  readonly kind = 'shell'
  readonly #watchdog: ChildProcess
  readonly #site: SlotSite
  readonly #events: LauncherEvents
  /** What jobs inherit: ours, without the mark of a launcher around us. */
  readonly #environment: Record<string, string>
  readonly #slots: Slot[] = []
  readonly #jobs = new Map<number, Job>()
  #sweep: NodeJS.Timeout | undefined
  #state: 'open' | 'closing' | 'over' = 'open'
  readonly #over: Promise<void>
  #finish: () => void = () => {}

  constructor(watchdog: ChildProcess, launcherId: string, journal: string, events: LauncherEvents) {
    this.#environment = { ...process.env } as Record<string, string>
    delete this.#environment[MARK_NAME]
    this.#watchdog = watchdog
    this.#events = events
    const scratch = makeScratch()
    this.#site = {
      launcherId,
      journal,
      scratch,
      mark: buildMark(launcherId, 'slot'),
      environment: listOverlay(this.#environment),
    }
    this.#over = new Promise(settle => {
      this.#finish = settle
    })
    watchdog.stdin?.on('error', () => {})
    watchdog.once('close', () => this.#lose('The watchdog of the launcher ended unexpectedly'))
  }

  launch(request: LaunchRequest): void {
    const fault = findFault(request) ?? (isTooLong(request, this.#environment) ? 'E2BIG' : undefined)
    if (fault) {
      setImmediate(() => this.#events.onExited([neverRan(request.tag, fault, fault === 'E2BIG' ? 'exec' : 'request')]))
      return
    }
    const leader = request.after === undefined ? undefined : this.#jobs.get(request.after)
    const slot = leader?.slot ?? this.#slots.find(({ tags }) => tags.length === 0) ?? this.#openSlot()
    this.#jobs.set(request.tag, { slot, queued: leader !== undefined, signals: [] })
    slot.tags.push(request.tag)
    slot.send(this.#encode(request, leader !== undefined))
  }

  signal(tag: number, signal: NodeJS.Signals): void {
    const job = this.#jobs.get(tag)
    if (!job) return
    if (job.process) this.#signalProcess(tag, job.process, signal)
    else if (!job.queued || existsSync(this.#startFile(tag))) job.signals.push(signal)
  }

  async recall(tag: number): Promise<boolean> {
    const job = this.#jobs.get(tag)
    if (!job?.queued || !this.#decideStart(tag)) return false
    job.slot.tags.splice(job.slot.tags.indexOf(tag), 1)
    this.#jobs.delete(tag)
    return true
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
      records => this.#handle(records),
      () => this.#lose('A shell of the launcher ended unexpectedly'),
    )
    this.#slots.push(slot)
    if (slot.pid > 0) this.#watchdog.stdin?.write(`slot ${slot.pid}\n`)
    return slot
  }

  #encode(request: LaunchRequest, queued: boolean): string {
    const variable = (name: string) => (request.env[name] === undefined ? this.#environment[name] : request.env[name])
    const removes = Object.values(request.env).includes(null)
    // What the slot knows already is not sent again, unless something must be taken out of it.
    const known = removes ? this.#environment : {}
    const overlay = listOverlay({ ...known, ...request.env }).filter(entry => entry.includes('='))
    // `env`, which starts the program, would take a program whose name has a `=` for a variable.
    const argv = request.argv[0].includes('=') ? ['/bin/sh', '-c', 'exec "$@"', 'sh', ...request.argv] : request.argv
    const combined = request.stderr === 'stdout' || (request.stderr === null && request.stdout === null)
    return encodeTexts(
      String(request.tag),
      queued ? '1' : '0',
      encodeLabel(request.label),
      request.cwd === undefined ? '' : resolve(request.cwd),
      resolve(request.stdout ?? '/dev/null'),
      combined ? '' : resolve(request.stderr ?? '/dev/null'),
      variable('PATH') ?? '/usr/bin:/bin',
      removes ? '0' : '1',
      [...overlay, `${MARK_NAME}=${buildMark(this.#site.launcherId, request.tag)}`],
      argv,
    )
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

  #signalProcess(tag: number, { pid, window }: NonNullable<Job['process']>, signal: NodeJS.Signals): void {
    const main = readProcess(pid)
    // When the main process is gone, its slot is ending the group already, and the number may be somebody else's.
    if (hasProc ? main && startedWithin(main, window) : true) signalGroup(pid, signal)
    const own = `${this.#site.launcherId}.${tag}`
    signalMarked((mark, found) => mark === own && found.group !== pid, signal)
  }

  #handle(records: JournalRecord[]): void {
    const started: Started[] = []
    const exited: Exited[] = []
    for (const record of records) {
      if (record.type === 'start' && record.launch.pid > 0) started.push(this.#noteStart(record.launch))
      else if (record.type === 'exit') exited.push(this.#noteExit(record.exit))
    }
    if (started.length > 0) this.#events.onStarted(started)
    if (exited.length === 0) return
    this.#events.onExited(exited)
    this.#sweep ??= setTimeout(() => this.#sweepStrays(), SWEEP_DELAY_MS).unref()
    if (this.#state === 'closing') void this.#endWhenIdle()
  }

  #noteStart({ tag, pid, window, startedAtMs }: JournaledLaunch): Started {
    const job = this.#jobs.get(tag)
    if (job) {
      job.process = { pid, window }
      for (const signal of job.signals) this.#signalProcess(tag, job.process, signal)
      if (job.queued) unlink(this.#startFile(tag), () => {})
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
    for (const tag of [...this.#jobs.keys()]) {
      if (await this.recall(tag)) canceled.push(neverRan(tag, 'ECANCELED', 'canceled'))
      else this.signal(tag, 'SIGKILL')
    }
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
    for (let round = 0; round < LAST_ROUNDS && signalMarked(mark => mark.startsWith(own), 'SIGKILL') > 0; round += 1) {
      await sleep(LAST_ROUND_MS)
    }
  }

  #lose(reason: string): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    clearTimeout(this.#sweep)
    // Without the word `close` the watchdog ends everything; if it was the watchdog that died, the slots end here.
    this.#watchdog.stdin?.end()
    for (const slot of this.#slots) slot.forsake()
    const { journal, launcherId } = this.#site
    void reportLoss(journal, launcherId, new Set(this.#jobs.keys()), this.#events, reason).then(() => this.#cleanUp())
  }

  #cleanUp(): void {
    rmSync(this.#site.scratch, { recursive: true, force: true })
    this.#finish()
  }
}
