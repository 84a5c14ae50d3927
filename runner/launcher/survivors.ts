import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LAUNCHER } from './binary.ts'
import { type Journal, type LauncherLife, readJournal, recordLifeEnd } from './journal.ts'
import { isStillThere, type Process, readArguments, readBootId, signalProcess, startedWithin } from './processes.ts'
import { removeScratch } from './scratch.ts'
import { type Evidence, Search } from './search.ts'

/** A launcher ends its jobs at once when it is asked to; one that takes longer hangs with them and is ended itself. */
const LAUNCHER_PATIENCE_MS = 10_000
/** A killed process that is not gone by now waits in the kernel, mostly for a file system that does not answer. */
const DEATH_PATIENCE_MS = 30_000
const LOOK_MS = 10

async function waitUntil(fact: () => boolean, patienceMs: number): Promise<boolean> {
  for (const startedAt = performance.now(); performance.now() - startedAt < patienceMs; await sleep(LOOK_MS))
    if (fact()) return true
  return fact()
}

/** Ends a launcher that waits for another runner, and waits for one that is busy with ending its jobs. Throws when its runner lives, since its jobs are that runner's. */
async function waitForLauncher(life: LauncherLife): Promise<void> {
  if (life.runnerPid !== process.pid && isStillThere(life.runnerPid, life.runnerStartTicks)) {
    throw new Error(`Cannot end the jobs of another runner as it is still running: process ${life.runnerPid}`)
  }
  // While it has a runner, this says nothing to it.
  if (life.kind === 'native' && isStillThere(life.pid, life.startTicks)) signalProcess(life.pid, 'SIGTERM')
  const ended = await waitUntil(() => !isStillThere(life.pid, life.startTicks), LAUNCHER_PATIENCE_MS)
  if (!ended) signalProcess(life.pid, 'SIGKILL')
}

/**
 * Processes of these lives: the groups of unfinished launches whose main process started when the journal says, everything that bears a
 * mark of theirs, be it in a group or not, and what a native launcher was about to start when it died. A pid that was given to somebody
 * else is none of them.
 */
function evidenceOf(journal: Journal, lives: ReadonlySet<string>): Evidence {
  const unfinished = journal.launches.filter(launch => !launch.exit && lives.has(launch.launcherId))
  const isOfLives = (mark: string) => lives.has(mark.slice(0, mark.indexOf('.')))
  return {
    groups: byPid =>
      unfinished.flatMap(({ pid, window }) => {
        const main = byPid.get(pid)
        return main && startedWithin(main, window) ? [pid] : []
      }),
    isSought(found, marks) {
      if (marks) return marks.some(isOfLives) || isPartOfLauncher(found.pid, lives)
      return unfinished.some(({ pid, window }) => pid === found.group && found.startTicks >= window.fromTicks)
    },
  }
}

/** A slot of a native launcher, or what it forked and has not yet become a program: they look like the launcher. */
function isPartOfLauncher(pid: number, lives: ReadonlySet<string>): boolean {
  const [program = '', , launcherId = ''] = readArguments(pid)
  return basename(program) === LAUNCHER.name && lives.has(launcherId)
}

/**
 * Ends every process that launchers of this journal left behind, and waits until they are gone; called before a new launcher
 * starts work. Nothing is ended when all former lives were closed in order, or lie before the machine's last boot.
 * A launcher that was taken over is left alone. Throws when a process cannot be ended, or when the runner that owns it still runs.
 */
export async function endSurvivors(path: string, adoptedId?: string): Promise<{ ended: number }> {
  const open = readJournal(path).lives.filter(life => !life.closed && life.launcherId !== adoptedId)
  if (open.length === 0) return { ended: 0 }
  const bootId = readBootId()
  const here = open.filter(life => life.bootId === bootId)
  for (const life of here) await waitForLauncher(life)

  // Read again: the launcher went on writing until it was gone.
  const journal = readJournal(path)
  const lives = new Set(here.map(life => life.launcherId))
  const search = new Search(evidenceOf(journal, lives))
  const ended = new Set<number>()
  let left: Process[] = []
  const gone = await waitUntil(() => {
    const { found, over } = search.look()
    left = found
    for (const { pid } of left) {
      ended.add(pid)
      signalProcess(pid, 'SIGKILL')
    }
    return over
  }, DEATH_PATIENCE_MS)
  if (!gone) throw new Error(`Cannot end processes of a former run: ${left.map(({ pid }) => pid).join(', ')}`)
  for (const { launcherId } of open) {
    removeScratch(launcherId)
    recordLifeEnd(path, launcherId)
  }
  return { ended: ended.size }
}
