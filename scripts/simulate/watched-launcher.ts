import { parseLabel } from '../../runner/launch-label.ts'
import type { Exited, Launcher, LauncherEvents, Started } from '../../runner/launcher/types.ts'
import { openSimulatedLauncher } from '../../runner/simulate/launcher.ts'
import type { Witness } from './witness.ts'

/** The variable by which a launch says which cores it was lent. */
export const CORES_VARIABLE = 'CORES'

type Copy = ReturnType<Witness['started']>

export type WatchedLauncher = Launcher & {
  /** What runs now. */
  running(): Copy[]
  /** Ends everything without a word, as a node does that loses power. */
  die(): void
}

/** The simulated launcher of one node, with a witness of everything it starts. */
export function openWatchedLauncher(
  events: LauncherEvents,
  { witness, node, cores, clock }: { witness: Witness; node: string; cores: number; clock: () => number },
): WatchedLauncher {
  const launched = new Map<number, Parameters<Witness['started']>[0]>()
  const running = new Map<number, Copy>()
  let starts: Started[] = []
  let exits: Exited[] = []
  let isDead = false

  /** Starts are told before the exits they come after, so both are looked at together. */
  function notice(): void {
    if (starts.length + exits.length > 0) return
    queueMicrotask(() => {
      const [started, exited] = [starts, exits]
      starts = []
      exits = []
      const startedNow = new Set(started.map(({ tag }) => tag))
      for (const { tag } of exited) if (!startedNow.has(tag)) end(tag)
      for (const { tag } of started) start(tag)
      for (const { tag } of exited) if (startedNow.has(tag)) end(tag)
    })
  }

  function start(tag: number): void {
    const copy = launched.get(tag)
    if (copy !== undefined && !isDead) running.set(tag, witness.started(copy, running.values(), cores))
  }

  function end(tag: number): void {
    const copy = running.get(tag)
    if (copy !== undefined) witness.ended(copy)
    running.delete(tag)
    launched.delete(tag)
  }

  function killAll(): void {
    for (const copy of running.values()) witness.killed(copy)
    running.clear()
  }

  const launcher = openSimulatedLauncher(
    {
      onStarted(started) {
        notice()
        starts.push(...started)
        events.onStarted(started)
      },
      onExited(exited) {
        notice()
        exits.push(...exited)
        events.onExited(exited)
      },
      onLost: reason => events.onLost(reason),
    },
    { clock },
  )
  return {
    ...launcher,
    launch(request) {
      const { jobId, claimToken } = parseLabel(request.label)!
      const lent = (request.env[CORES_VARIABLE] ?? '').split(',').filter(Boolean).map(Number)
      launched.set(request.tag, { jobId, claimToken, node, cores: lent })
      launcher.launch(request)
    },
    running: () => [...running.values()],
    die() {
      isDead = true
      void launcher.close()
      killAll()
    },
  }
}
