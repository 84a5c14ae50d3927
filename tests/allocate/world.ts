import { plan } from '../../runner/allocate/plan.ts'
import type {
  Amounts,
  Decision,
  LiveRunner,
  OpenRequest,
  Policy,
  QueueFacts,
  ReadyGroup,
  Snapshot,
} from '../../runner/allocate/types.ts'
import { usableSeconds } from '../../runner/allocate/walltimes.ts'

/** A job of the simulated workflow. Times in seconds. */
export type SimulatedJob = Amounts & {
  /** What it asks for; it may run shorter. */
  runtimeSeconds: number
  lastsSeconds: number
  nodes: number
  after: readonly number[]
}

export type SimulatedCluster = {
  /** From a submission to the start of its elements, one after the other. */
  queueSeconds: readonly number[]
  /** Which submissions are refused, cyclically. */
  refuses: readonly boolean[]
  idleSeconds: number
}

type Runner = {
  id: number
  offer: Amounts
  nodes: number
  endsAt: number
  idleSince: number
  running: { job: number; until: number }[]
}
type Request = {
  name: string
  queue: string
  offer: Amounts
  nodes: number
  walltime: number
  starts: number[]
  unneededSince?: number
}

export type Outcome = {
  ended: boolean
  seconds: number
  requests: number
  /** Node seconds of runners, and those in which a job ran, by its largest share of the node. */
  granted: number
  used: number
  /** What a rule of the planner forbids and happened. */
  wrong: string[]
}

const STEP = 30

/** Runs a workflow to its end on an imagined cluster, asking the planner every half minute, and holds it against its promises. */
export function runWorld(
  jobs: readonly SimulatedJob[],
  cluster: SimulatedCluster,
  policy: Policy,
  mostSeconds: number,
): Outcome {
  const left = jobs.map(job => new Set(job.after))
  const readyAt = new Map<number, number>()
  const done = new Set<number>()
  const claimed = new Set<number>()
  let runners: Runner[] = []
  let requests: Request[] = []
  const refusedInRow = new Map<string, number>()
  const submits: { at: number; nodeSeconds: number }[] = []
  const wrong: string[] = []
  let names = 0
  let ids = 0
  let submissions = 0
  let used = 0
  let now = 0

  const ready = () => jobs.map((_, index) => index).filter(index => readyAt.has(index) && !claimed.has(index))
  const markReady = () =>
    jobs.forEach((_, index) => {
      if (left[index]!.size === 0 && !readyAt.has(index)) readyAt.set(index, now)
    })
  const free = (runner: Runner): Amounts =>
    runner.running.reduce(
      (rest, { job }) => ({
        cpus: rest.cpus - jobs[job]!.cpus,
        memoryBytes: rest.memoryBytes - jobs[job]!.memoryBytes,
        gpus: rest.gpus - jobs[job]!.gpus,
      }),
      runner.offer,
    )

  function work(): void {
    for (const runner of runners) {
      for (const { job, until } of runner.running) {
        if (until > now) continue
        done.add(job)
        for (const waits of left) waits.delete(job)
      }
      runner.running = runner.running.filter(({ until }) => until > now)
      if (runner.running.length > 0) runner.idleSince = now
    }
    markReady()
    for (const runner of runners) {
      for (const index of ready()) {
        const job = jobs[index]!
        const rest = free(runner)
        const isAlone = runner.nodes > 1 ? job.nodes === runner.nodes && runner.running.length === 0 : job.nodes === 1
        const fits = isAlone && job.cpus <= rest.cpus && job.memoryBytes <= rest.memoryBytes && job.gpus <= rest.gpus
        if (!fits || now + job.runtimeSeconds > runner.endsAt) continue
        claimed.add(index)
        runner.running.push({ job: index, until: now + job.lastsSeconds })
        runner.idleSince = now
        used +=
          job.lastsSeconds *
          Math.max(job.cpus / runner.offer.cpus, job.memoryBytes / Math.max(runner.offer.memoryBytes, 1)) *
          runner.nodes
      }
    }
    runners = runners.filter(
      runner => runner.running.length > 0 || (now < runner.endsAt && now - runner.idleSince < cluster.idleSeconds),
    )
  }

  function startElements(): void {
    for (const request of requests) {
      const due = request.starts.filter(at => at <= now)
      request.starts = request.starts.filter(at => at > now)
      for (const _ of due) {
        runners.push({
          id: ids++,
          offer: request.offer,
          nodes: request.nodes,
          endsAt: now + usableSeconds(request.walltime),
          idleSince: now,
          running: [],
        })
      }
    }
    requests = requests.filter(request => request.starts.length > 0)
  }

  const lastMinute = () => submits.filter(({ at }) => now - at < 60).length
  const lastDay = () => submits.filter(({ at }) => now - at < 86_400).reduce((sum, one) => sum + one.nodeSeconds, 0)

  function look(): Snapshot {
    const groups = new Map<string, ReadyGroup>()
    for (const index of ready()) {
      const { cpus, memoryBytes, gpus, nodes, runtimeSeconds } = jobs[index]!
      const key = [cpus, memoryBytes, gpus, nodes, runtimeSeconds].join()
      const since = readyAt.get(index)! * 1000
      const known = groups.get(key)
      groups.set(key, {
        cpus,
        memoryBytes,
        gpus,
        nodes,
        runtimeSeconds,
        labels: '',
        schedulerId: undefined,
        count: (known?.count ?? 0) + 1,
        readySinceMs: Math.min(known?.readySinceMs ?? since, since),
      })
    }
    return {
      nowMs: now * 1000,
      groups: [...groups.values()],
      runners: runners.map((runner): LiveRunner => {
        const rest = free(runner)
        return {
          ...runner.offer,
          nodes: runner.nodes,
          labels: [],
          used: {
            cpus: runner.offer.cpus - rest.cpus,
            memoryBytes: runner.offer.memoryBytes - rest.memoryBytes,
            gpus: runner.offer.gpus - rest.gpus,
          },
          busySeconds: Math.max(0, ...runner.running.map(({ until }) => until - now)),
          secondsLeft: runner.endsAt - now,
          isOurs: true,
        }
      }),
      requests: requests.map(
        (request): OpenRequest => ({
          name: request.name,
          queue: request.queue,
          offer: request.offer,
          nodes: request.nodes,
          walltimeSeconds: request.walltime,
          queued: request.starts.length,
          starting: 0,
          unneededSinceMs: request.unneededSince,
        }),
      ),
      queues: policy.queues.map(
        ({ name }): QueueFacts => ({
          name,
          backlog: requests.filter(request => request.queue === name).length,
          submittedLastMinute: name === policy.queues[0]!.name ? lastMinute() : 0,
          nodeSecondsLastDay: name === policy.queues[0]!.name ? lastDay() : 0,
          refusedInRow: refusedInRow.get(name) ?? 0,
          isPaused: false,
        }),
      ),
    }
  }

  /** Each element that waits or is asked for has a ready job of its own, but those that are known to be unneeded. */
  function checkElements({ groups, requests: open }: Snapshot, { submit, surplus }: Decision): void {
    if (submit.length === 0 || policy.requestLeast > 1) return
    const elements = sum(open, ({ queued }) => queued) + sum(submit, ({ width }) => width)
    const needed = sum(groups, ({ count }) => count) + sum(surplus, one => one.elements)
    if (elements > needed) wrong.push(`${now}: ${elements} elements for ${needed} ready jobs`)
  }

  function decide(): void {
    const snapshot = look()
    const decision = plan(snapshot, policy)
    if (decision.submit.length > 0 && snapshot.groups.length === 0)
      wrong.push(`${now}: asks for nodes without a ready job`)
    for (const { group } of decision.unserved) wrong.push(`${now}: leaves out jobs of ${group.runtimeSeconds} s`)
    for (const { name, elements, cancel } of decision.surplus) {
      const request = requests.find(candidate => candidate.name === name)!
      request.unneededSince = elements === 0 ? undefined : (request.unneededSince ?? now * 1000)
      if (cancel) request.starts.length -= elements
    }
    requests = requests.filter(request => request.starts.length > 0)
    checkElements(snapshot, decision)
    for (const want of decision.submit) {
      const [queue] = want.queues
      const readyJobs = snapshot.groups.reduce((sum, group) => sum + group.count, 0)
      if (want.jobs > readyJobs) wrong.push(`${now}: asks for ${want.jobs} jobs, and ${readyJobs} are ready`)
      if (want.width * want.nodes > policy.requestMost)
        wrong.push(`${now}: asks for ${want.width * want.nodes} nodes at once`)
      if (want.width * want.nodes < policy.requestLeast)
        wrong.push(`${now}: asks for only ${want.width * want.nodes} nodes`)
      submits.push({ at: now, nodeSeconds: want.width * want.nodes * want.walltimeSeconds })
      if (lastMinute() > policy.submitsPerMinute) wrong.push(`${now}: submits too often`)
      if (lastDay() > policy.nodeSecondsPerDay) wrong.push(`${now}: asks for too many node hours a day`)
      const isRefused = cluster.refuses[submissions++ % cluster.refuses.length]!
      refusedInRow.set(queue, isRefused ? (refusedInRow.get(queue) ?? 0) + 1 : 0)
      if (isRefused) {
        submits.pop()
        continue
      }
      const wait = (k: number) => cluster.queueSeconds[(submissions + k) % cluster.queueSeconds.length]!
      requests.push({
        name: `hr-${names++}`,
        queue,
        offer: want.offer,
        nodes: want.nodes,
        walltime: want.walltimeSeconds,
        starts: Array.from({ length: want.width }, (_, k) => now + wait(k)),
      })
    }
    for (const { name } of policy.queues) {
      const waiting = requests.filter(request => request.queue === name).length
      if (waiting > policy.backlog) wrong.push(`${now}: ${waiting} requests wait in ${name}`)
    }
    const nodes =
      runners.reduce((sum, runner) => sum + runner.nodes, 0) +
      requests.reduce((sum, request) => sum + request.starts.length * request.nodes, 0)
    if (nodes > policy.nodesMost) wrong.push(`${now}: ${nodes} nodes in use`)
  }

  markReady()
  let nodeSeconds = 0
  const isOver = () => done.size === jobs.length && runners.length === 0 && requests.length === 0
  while (!isOver() && now < mostSeconds) {
    startElements()
    work()
    decide()
    nodeSeconds += STEP * runners.reduce((sum, runner) => sum + runner.nodes, 0)
    now += STEP
  }
  return { ended: isOver(), seconds: now, requests: names, granted: nodeSeconds, used, wrong }
}

const sum = <T>(list: readonly T[], of: (one: T) => number): number => list.reduce((total, one) => total + of(one), 0)
