import { connect, type Socket } from 'node:net'
import { type LauncherLife, readJournal, recordLife } from './journal.ts'
import { type Helper, NativeLauncher } from './native.ts'
import { isStillThere, readBootId, signalProcess } from './processes.ts'
import { endInput } from './send.ts'
import type { Launcher, LauncherEvents } from './types.ts'
import { encodeClose, type Report, ReportReader, WIRE_VERSION } from './wire.ts'

/** A launcher whose runner died, and what it runs: nothing of it is lost as long as somebody takes it over. */
export type Adoption = {
  launcherId: string
  /** What runs, as its journal has it. */
  running: readonly { tag: number; pid: number; label: string; startedAtMs: number }[]
  /** No launch of its life has this tag or a higher one. */
  nextTag: number
  /** Uses it from now on; what has ended meanwhile is told at once. */
  open(events: LauncherEvents): Launcher
  /** Ends it and all it runs. */
  end(): Promise<void>
}

/** A launcher answers within milliseconds, unless something is about to start. */
const HELLO_PATIENCE_MS = 5_000
/** A control plane that does not answer by then is away: its silence is not held against the jobs. */
const KEPT_AFTER_MS = 5_000

/**
 * Takes over the launcher that a killed runner has left with this journal, with the jobs it runs. `undefined` when there is none: it has
 * ended, was of another kind or version, or lies before the machine's last boot. What it ran is to be ended then (survivors.ts).
 */
export async function adoptLauncher(journal: string): Promise<Adoption | undefined> {
  const life = readJournal(journal).lives.find(isOrphan)
  if (life === undefined) return undefined
  const socket = connect(addressOf(life.launcherId))
  const greeting = await greet(socket)
  if (greeting === undefined) {
    socket.destroy()
    return undefined
  }
  const { tags } = greeting
  // Whoever looks at the journal from now on finds our name.
  recordLife(journal, life.launcherId, 'native', life.pid)
  const launches = readJournal(journal).launches.filter(launch => launch.launcherId === life.launcherId)
  const helper = helperOf(socket, life, journal)
  const running = launches.filter(launch => tags.has(launch.tag))
  const adoption: Adoption = {
    launcherId: life.launcherId,
    running,
    nextTag: launches.reduce((last, { tag }) => Math.max(last, tag), 0) + 1,
    open(events) {
      const { launcherId } = life
      const launcher = new NativeLauncher(helper, { journal, launcherId, running: [...tags], ...greeting }, events)
      setTimeout(() => launcher.keep(), KEPT_AFTER_MS).unref()
      socket.resume()
      return launcher
    },
    async end() {
      socket.write(encodeClose(true))
      endInput(socket)
      socket.resume()
      await helper.ended
    },
  }
  if (running.length === tags.size) return adoption
  // On a full disk the journal may lack a start: nobody knows then what runs there.
  await adoption.end()
  return undefined
}

/** Filled up with NULs, as the launcher does: Node versions differ in whether they do it themselves (native/orphan.c). */
const addressOf = (launcherId: string): string => `\0headrace-launcher-${launcherId}`.padEnd(SUN_PATH_BYTES, '\0')
const SUN_PATH_BYTES = 108

const isOrphan = (life: LauncherLife): boolean =>
  !life.closed &&
  life.kind === 'native' &&
  life.bootId === readBootId() &&
  isStillThere(life.pid, life.startTicks) &&
  !isStillThere(life.runnerPid, life.runnerStartTicks)

/** What a launcher has said so far, and the reader that knows where it was interrupted. */
type Greeting = { tags: Set<number>; heard: Report[]; reader: ReportReader }

/** Hears what runs; the launcher's hello comes last. What comes after it is kept for whoever uses the launcher. */
function greet(socket: Socket): Promise<Greeting | undefined> {
  const reader = new ReportReader()
  const tags = new Set<number>()
  return new Promise(resolve => {
    const timer = setTimeout(() => settle(undefined), HELLO_PATIENCE_MS)
    function settle(heard: Report[] | undefined): void {
      clearTimeout(timer)
      socket.off('data', read)
      socket.pause()
      resolve(heard && { tags, heard, reader })
    }
    function read(chunk: Buffer): void {
      const reports = reader.read(chunk)
      const at = reports.findIndex(report => report.type === 'hello')
      for (const report of at < 0 ? reports : reports.slice(0, at))
        if (report.type === 'started') tags.add(report.started.tag)
      const hello = reports[at]
      if (hello?.type === 'hello') settle(hello.version === WIRE_VERSION ? reports.slice(at) : undefined)
    }
    socket.on('data', read)
    socket.on('error', () => settle(undefined))
    socket.once('close', () => settle(undefined))
  })
}

function helperOf(socket: Socket, life: LauncherLife, journal: string): Helper {
  /** Its exit code is nobody's to read, but what ended in order has put every exit in the journal. */
  const hasEndedInOrder = (): boolean =>
    readJournal(journal).launches.every(launch => launch.launcherId !== life.launcherId || launch.exit !== undefined)
  return {
    input: socket,
    output: socket,
    ended: new Promise(resolve =>
      socket.once('close', () => resolve({ code: hasEndedInOrder() ? 0 : null, signal: null })),
    ),
    complaint: () => '',
    kill: () => signalProcess(life.pid, 'SIGKILL'),
  }
}
