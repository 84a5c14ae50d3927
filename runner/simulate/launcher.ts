import { FAILING_PROGRAM } from '../faults/launcher.ts'
import type { Exited, Launcher, LauncherEvents, LaunchRequest, Started } from '../launcher/types.ts'

/** What a job runs that only passes time: `[SIMULATED_PROGRAM, seconds]`. */
export const SIMULATED_PROGRAM = 'simulated'

/** The longest a timer can wait, 24 days: no run lasts longer. */
const LONGEST_MS = 2 ** 31 - 1
const SIGNAL_NUMBERS: Partial<Record<NodeJS.Signals, number>> = { SIGKILL: 9, SIGTERM: 15 }

type Process = {
  request: LaunchRequest
  state: 'waiting' | 'running' | 'ended'
  startedAtMs: number
  timer?: NodeJS.Timeout
  /** Whom it waits for, and who waits for it. */
  leader?: Process
  follower?: Process
}

type End = Pick<Exited, 'code' | 'signal' | 'error' | 'failedStep'>

/** A launcher that starts nothing: its jobs pass time, end when they are told to, and cost next to nothing. */
export function openSimulatedLauncher(
  events: LauncherEvents,
  { clock }: { clock: () => number } = { clock: Date.now },
): Launcher {
  const processes = new Map<number, Process>()
  let started: Started[] = []
  let exited: Exited[] = []
  let reporting: NodeJS.Immediate | undefined
  let isClosed = false

  /** What happens together is told together, as a launcher's pipe does it. */
  function report(): void {
    reporting ??= setImmediate(() => {
      reporting = undefined
      tellAll()
    })
  }

  function tellAll(): void {
    const [starts, exits] = [started, exited]
    started = []
    exited = []
    if (starts.length > 0) events.onStarted(starts)
    if (exits.length > 0) events.onExited(exits)
  }

  function start(one: Process): void {
    const { tag, argv } = one.request
    one.state = 'running'
    one.startedAtMs = clock()
    if (argv[0] !== SIMULATED_PROGRAM && argv[0] !== FAILING_PROGRAM) {
      end(one, { error: 'ENOENT', failedStep: 'exec' })
      return
    }
    started.push({ tag, pid: 0, startedAtMs: one.startedAtMs })
    report()
    const code = argv[0] === FAILING_PROGRAM ? 1 : 0
    const ms = code === 1 ? 0 : Number(argv[1]) * 1000
    // No timer is exact to a millisecond, and one for less would wait for more.
    if (ms < 1) setImmediate(() => end(one, { code }))
    else one.timer = setTimeout(() => end(one, { code }), Math.min(ms, LONGEST_MS))
  }

  function end(one: Process, how: End): void {
    if (one.state === 'ended' || isClosed) return
    clearTimeout(one.timer)
    one.state = 'ended'
    processes.delete(one.request.tag)
    const { startedAtMs } = one
    exited.push({ tag: one.request.tag, ...how, startedAtMs, exitedAtMs: clock(), userMs: 0, systemMs: 0, strays: 0 })
    report()
    if (one.follower !== undefined) start(one.follower)
  }

  function takeBack(one: Process): void {
    processes.delete(one.request.tag)
    if (one.leader !== undefined) one.leader.follower = one.follower
    if (one.follower !== undefined) one.follower.leader = one.leader
  }

  return {
    kind: 'native',
    launch(request) {
      const leader = request.after === undefined ? undefined : processes.get(request.after)
      const one: Process = { request, state: 'waiting', startedAtMs: 0, leader }
      processes.set(request.tag, one)
      if (leader === undefined) start(one)
      else leader.follower = one
    },
    signal(tag, signal) {
      const one = processes.get(tag)
      const number = SIGNAL_NUMBERS[signal]
      if (one?.state === 'running' && number !== undefined) end(one, { signal: number })
    },
    async recall(tag, onAnswer) {
      const one = processes.get(tag)
      const isBack = one?.state === 'waiting'
      if (isBack) takeBack(one)
      tellAll()
      onAnswer?.(isBack)
      return isBack
    },
    async close() {
      isClosed = true
      for (const one of processes.values()) clearTimeout(one.timer)
      processes.clear()
      clearImmediate(reporting)
    },
  }
}
