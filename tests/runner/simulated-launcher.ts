import { parseLabel } from '../../runner/launch-label.ts'
import type { Exited, Launcher, LauncherEvents, LaunchRequest, Started } from '../../runner/launcher/types.ts'

/** What a job's process does. */
export type Behaviour = {
  durationMs: number
  code?: number
  /** Ends this long after TERM; never when absent. */
  diesOfTermMs?: number
}

/** What the simulated environment of a launch tells: the ids it was granted, joined with commas. */
export const CORES = 'CORES'
export const GPUS = 'GPUS'

type Process = {
  request: LaunchRequest
  jobId: number
  state: 'waiting' | 'running' | 'ended'
  startedAtMs: number
  timer: NodeJS.Timeout | undefined
  follower: Process | undefined
  leader: Process | undefined
}

export type SimulatedLauncher = Launcher & {
  /** Jobs by id, in the order of their starts. */
  starts: { jobId: number; atMs: number; cores: string[]; gpus: string[] }[]
  signals: { jobId: number; signal: NodeJS.Signals; atMs: number }[]
  recalled: number[]
  /** Ids that two jobs had at the same time. */
  shared: string[]
  mostAtOnce: number
  /** Ends without a word of what runs, as a killed helper does. */
  die(): void
}

/** How long a report takes: events of that time come together, as from a pipe. */
const REPORT_MS = 1

/** Behaves as launcher/types.ts says, with virtual processes. */
export function simulateLauncher(behaviourOf: (jobId: number) => Behaviour, events: LauncherEvents): SimulatedLauncher {
  const processes = new Map<number, Process>()
  const running = new Set<Process>()
  let started: Started[] = []
  let exited: Exited[] = []
  let reporting: NodeJS.Timeout | undefined
  let dead = false

  function report(): void {
    reporting ??= setTimeout(flush, REPORT_MS)
  }

  function flush(): void {
    clearTimeout(reporting)
    reporting = undefined
    const [starts, exits] = [started, exited]
    started = []
    exited = []
    if (dead) return
    if (starts.length > 0) events.onStarted(starts)
    if (exits.length > 0) events.onExited(exits)
  }

  const idsOf = ({ request }: Process, name: string): string[] => (request.env[name] ?? '').split(',').filter(Boolean)

  function start(one: Process): void {
    one.state = 'running'
    one.startedAtMs = Date.now()
    for (const other of running) {
      for (const name of [CORES, GPUS]) {
        const both = idsOf(other, name).filter(id => idsOf(one, name).includes(id))
        launcher.shared.push(...both.map(id => `${name} ${id}: jobs ${other.jobId} and ${one.jobId}`))
      }
    }
    running.add(one)
    launcher.mostAtOnce = Math.max(launcher.mostAtOnce, running.size)
    launcher.starts.push({
      jobId: one.jobId,
      atMs: one.startedAtMs,
      cores: idsOf(one, CORES),
      gpus: idsOf(one, GPUS),
    })
    const { durationMs, code = 0 } = behaviourOf(one.jobId)
    one.timer = setTimeout(() => end(one, { code }), durationMs)
    started.push({ tag: one.request.tag, pid: 1000 + one.request.tag, startedAtMs: one.startedAtMs })
    report()
  }

  function end(one: Process, how: { code: number } | { signal: number }): void {
    clearTimeout(one.timer)
    one.state = 'ended'
    running.delete(one)
    exited.push({
      tag: one.request.tag,
      ...how,
      startedAtMs: one.startedAtMs,
      exitedAtMs: Date.now(),
      userMs: 0,
      systemMs: 0,
      strays: 0,
    })
    if (one.follower !== undefined && !dead) start(one.follower)
    report()
  }

  const launcher: SimulatedLauncher = {
    kind: 'native',
    starts: [],
    signals: [],
    recalled: [],
    shared: [],
    mostAtOnce: 0,
    launch(request) {
      const jobId = parseLabel(request.label)!.jobId
      const leader = request.after === undefined ? undefined : processes.get(request.after)
      const one: Process = {
        request,
        jobId,
        state: 'waiting',
        startedAtMs: 0,
        timer: undefined,
        follower: undefined,
        leader: undefined,
      }
      processes.set(request.tag, one)
      if (leader === undefined || leader.state === 'ended') start(one)
      else {
        one.leader = leader
        leader.follower = one
      }
    },
    signal(tag, signal) {
      const one = processes.get(tag)
      if (one?.state !== 'running') return
      launcher.signals.push({ jobId: one.jobId, signal, atMs: Date.now() })
      const { diesOfTermMs } = behaviourOf(one.jobId)
      if (signal === 'SIGKILL') setTimeout(() => one.state === 'running' && end(one, { signal: 9 }), 0)
      else if (diesOfTermMs !== undefined)
        setTimeout(() => one.state === 'running' && end(one, { signal: 15 }), diesOfTermMs)
    },
    async recall(tag, onAnswer) {
      await new Promise(resolve => setTimeout(resolve, REPORT_MS))
      const one = processes.get(tag)
      const isBack = one?.state === 'waiting' && !dead
      flush()
      if (isBack) {
        one.state = 'ended'
        if (one.leader !== undefined) one.leader.follower = one.follower
        if (one.follower !== undefined) one.follower.leader = one.leader
        launcher.recalled.push(one.jobId)
      }
      onAnswer?.(isBack)
      return isBack
    },
    async close() {
      dead = true
      for (const one of running) clearTimeout(one.timer)
    },
    die() {
      dead = true
      for (const one of running) clearTimeout(one.timer)
      running.clear()
      setTimeout(() => events.onLost('killed'), REPORT_MS)
    },
  }
  return launcher
}
