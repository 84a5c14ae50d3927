import { createHash, randomBytes } from 'node:crypto'
import type { Grant, Ledger, Need } from '../capacity/ledger.ts'
import { CountedLaunches } from './counted-launches.ts'
import type { Caller, Door } from './door.ts'
import { createLender, type Lender, lendOfGrant, whyNever } from './lender.ts'
import {
  type About,
  type Adopt,
  type Ask,
  type ClientMessage,
  type End,
  formatGrant,
  formatRefusal,
  parseClientLine,
  type Recording,
} from './protocol.ts'
import type { LaunchRecord } from './record.ts'
import { shareLedger } from './shared-ledger.ts'
import type { NodeStatus } from './status.ts'
import { findSurvivors, isClientAlive } from './survivors.ts'

/** What a client ends with when it is refused. */
const REFUSED = 125
/** What is recorded of a launch whose client was killed. */
const CLIENT_KILLED = 137
/** Jobs are told at most this often that there is more room for them. */
const ROOM_MS = 50
/** What clients of the stand-in leave behind is looked for this long after an end: a walk over all processes costs milliseconds. */
const SWEEP_DELAY_MS = 500

type Launch = {
  readonly id: string
  readonly pid: number
  readonly connection: number
  readonly lender: Lender<Launch>
  readonly need: Need
  readonly about: About
  readonly askedAtMs: number
  startedAtMs: number
  /** Absent while it waits. */
  grant?: Grant
}

export type ResidentOptions = {
  /** Names the socket's launches apart from those of other residents. */
  path: string
  ledger: Ledger
  /** Whether core numbers are this machine's, so that launches can be bound to them. */
  bind: boolean
  clock: () => number
  /** Where records go that name no workflow themselves. */
  workflowId?: number
  onRecord(record: LaunchRecord): void
  /** How records fare, for the status. */
  recordCounts(): NodeStatus['records']
  /** Ends the processes of launches, and those of a process group unless it is 0; resolves when they are gone. */
  endProcesses(ids: ReadonlySet<string>, group: number): Promise<void>
  /** Jobs of the runner may find more room than at their last look. */
  onRoom(): void
}

/** The resident part: lends the node's cores to local launches, and takes them back when those end or die. It does no I/O of its own. */
export class Resident {
  readonly #options: ResidentOptions
  /** All ids of this socket begin with it, whatever life of the resident part they are from. */
  readonly #prefix: string
  readonly #life = randomBytes(4).toString('hex')
  readonly #node: Lender<Launch>
  readonly #inside = new Map<string, Lender<Launch>>()
  readonly #jobs = new Map<string, Grant>()
  readonly #launches = new Map<string, Launch>()
  readonly #byConnection = new Map<number, Launch>()
  readonly #counted: CountedLaunches
  #door: Door | undefined
  #serial = 0
  #jobsSawLess = false
  #roomTimer: NodeJS.Timeout | undefined
  #sweepTimer: NodeJS.Timeout | undefined
  #swept: string[] = []

  constructor(options: ResidentOptions) {
    this.#options = options
    this.#prefix = `x${createHash('sha256').update(options.path).digest('hex').slice(0, 12)}`
    this.#node = createLender(options.ledger)
    this.#counted = new CountedLaunches({
      ledger: options.ledger,
      end: id => options.endProcesses(new Set([id]), 0),
      onFree: () => {
        this.#lend(this.#node)
        this.#tellRoom()
      },
    })
  }

  use(door: Door): void {
    this.#door = door
  }

  /** The node's ledger for the runner's jobs, who share the node. */
  shareWithJobs(): Ledger {
    return shareLedger(this.#node.ledger, {
      isClosed: () => this.#node.queue.isOverdue(this.#options.clock()),
      // After the jobs had their turn, who come first when nobody here is overdue.
      onRelease: () => {
        if (this.#node.queue.waiters.length > 0) setImmediate(() => this.#lend(this.#node))
      },
      onLook: () => {
        this.#jobsSawLess ||= this.isBusy
      },
    })
  }

  /** Tells whether local launches have or want a part of the node, or gave one back that jobs were not told of. */
  get isBusy(): boolean {
    return this.#launches.size > 0 || this.#counted.size > 0 || this.#roomTimer !== undefined
  }

  /** Lets launches inside a job use what the job holds; returns the variables that lead them there. */
  lendWithinJob(jobId: number, grant: Grant): Record<string, string> {
    const id = `${this.#prefix}.${this.#life}-job-${jobId}`
    this.#jobs.set(id, grant)
    return { HEADRACE_GRANT: id }
  }

  forgetJob(jobId: number): void {
    const id = `${this.#prefix}.${this.#life}-job-${jobId}`
    this.#jobs.delete(id)
    this.#closeInside(id)
  }

  // ---- what clients say ----

  handle(lines: readonly { caller: Caller; line: string }[]): void {
    for (const { caller, line } of lines) {
      const message = parseClientLine(line)
      if (message === undefined) this.#refuseCaller(caller, 'Cannot launch as this client is of another version')
      else this.#take(caller, message)
    }
  }

  #take(caller: Caller, message: ClientMessage): void {
    switch (message.type) {
      case 'ask':
        this.#ask(caller, message)
        break
      case 'adopt':
        this.#adopt(caller, message)
        break
      case 'end':
        this.#end(caller, message)
        break
      case 'gone':
        this.#gone(caller, message.group)
        break
      case 'status':
        this.#door?.send(caller.connection, `status ${JSON.stringify(this.status())}`)
    }
  }

  #ask(caller: Caller, { need, ...about }: Ask): void {
    if (this.#byConnection.has(caller.connection)) {
      this.#refuseCaller(caller, 'Cannot launch twice by one request')
      return
    }
    const lender = this.#lenderOf(about.within)
    const never = whyNever(need, lender, lender !== this.#node)
    if (never !== undefined) {
      this.#refuseCaller(caller, never)
      return
    }
    const now = this.#options.clock()
    const { connection, pid } = caller
    const id = `${this.#prefix}.${this.#life}-${pid}-${++this.#serial}`
    const launch: Launch = { id, pid, connection, lender, need, about, askedAtMs: now, startedAtMs: 0 }
    this.#byConnection.set(caller.connection, launch)
    lender.queue.add(launch, need, now)
    this.#launches.set(id, launch)
    this.#lend(lender)
  }

  /** A client that a former resident part lent to. What was counted by its processes is now counted by its word. */
  #adopt(caller: Caller, { id, held, startedAtMs, ...about }: Adopt): void {
    if (!id.startsWith(`${this.#prefix}.`) || this.#launches.has(id)) {
      this.#refuseCaller(caller, 'Cannot adopt a launch that is none of this runner')
      return
    }
    this.#counted.release(id)
    const isInside = about.within?.startsWith(`${this.#prefix}.`) ?? false
    // Inside another launch it uses what that one holds, and that one reports for itself.
    const lender = isInside ? lendOfGrant<Launch>(held) : this.#node
    const need = { cpus: held.cores.length, gpus: held.gpus.length, memoryBytes: held.memoryBytes }
    const grant = lender.ledger.adopt(held)
    const { connection, pid } = caller
    const launch: Launch = { id, pid, connection, lender, need, about, askedAtMs: startedAtMs, startedAtMs, grant }
    this.#launches.set(id, launch)
    this.#byConnection.set(caller.connection, launch)
  }

  #end(caller: Caller, end: End): void {
    const launch = this.#byConnection.get(caller.connection)
    if (launch?.grant === undefined) return
    this.#byConnection.delete(caller.connection)
    this.#record(launch, launch.grant, end)
    this.#release(launch)
    if (this.#door?.kind === 'shell') this.#sweepLater(launch.id)
  }

  #gone(caller: Caller, group: number): void {
    const launch = this.#byConnection.get(caller.connection)
    if (launch === undefined) return
    this.#byConnection.delete(caller.connection)
    if (launch.grant === undefined) {
      launch.lender.queue.withdraw(launch)
      this.#launches.delete(launch.id)
      // He may have been the one whom nobody was allowed to overtake.
      this.#lend(launch.lender)
      return
    }
    const { id, grant } = launch
    void this.#options.endProcesses(new Set([id]), group).then(() => {
      const now = this.#options.clock()
      const usage = { userMs: 0, systemMs: 0, peakMemoryBytes: 0 }
      this.#record(launch, grant, { type: 'end', code: CLIENT_KILLED, startedAtMs: 0, exitedAtMs: now, ...usage })
      this.#release(launch)
    })
  }

  #refuseCaller({ connection }: Caller, text: string): void {
    this.#door?.send(connection, formatRefusal(REFUSED, text))
    if (!this.#byConnection.has(connection)) this.#door?.drop(connection)
  }

  // ---- lending ----

  #lenderOf(within: string | undefined): Lender<Launch> {
    if (within === undefined) return this.#node
    const known = this.#inside.get(within)
    if (known !== undefined) return known
    const grant = this.#jobs.get(within) ?? this.#launches.get(within)?.grant
    // Around it is a launch of another resident part: here it is like any other.
    if (grant === undefined) return this.#node
    const lender = lendOfGrant<Launch>(grant)
    this.#inside.set(within, lender)
    return lender
  }

  #lend(lender: Lender<Launch>): void {
    const now = this.#options.clock()
    for (const { who, grant } of lender.queue.lend(now)) {
      who.grant = grant
      who.startedAtMs = now
      this.#door?.send(who.connection, formatGrant(who.id, this.#options.bind, grant))
    }
  }

  #release(launch: Launch): void {
    this.#launches.delete(launch.id)
    this.#closeInside(launch.id)
    if (launch.grant !== undefined) launch.lender.ledger.release(launch.grant)
    this.#lend(launch.lender)
    if (launch.lender === this.#node) this.#tellRoom()
  }

  /** What a launch held is gone, and with it what was lent of that. */
  #closeInside(id: string): void {
    const lender = this.#inside.get(id)
    if (lender === undefined) return
    this.#inside.delete(id)
    for (const { who } of lender.queue.waiters) this.#sendAway(who, 'Cannot launch as the launch around it has ended')
  }

  #sendAway(launch: Launch, text: string): void {
    this.#launches.delete(launch.id)
    this.#byConnection.delete(launch.connection)
    this.#refuseCaller({ connection: launch.connection, pid: launch.pid }, text)
  }

  #tellRoom(): void {
    if (!this.#jobsSawLess) return
    this.#roomTimer ??= setTimeout(() => {
      this.#roomTimer = undefined
      this.#jobsSawLess = false
      this.#options.onRoom()
    }, ROOM_MS)
  }

  // ---- records ----

  #record(launch: Launch, grant: Grant, end: End): void {
    const workflow = this.#workflowOf(launch.about.record)
    if (workflow === 'none') return
    const now = this.#options.clock()
    this.#options.onRecord({
      id: launch.id,
      command: launch.about.command,
      return_code: end.code,
      cpus: launch.need.cpus,
      cores: grant.cores,
      gpus: grant.gpus,
      memory_bytes: launch.need.memoryBytes,
      asked_at: launch.askedAtMs,
      started_at: end.startedAtMs || launch.startedAtMs,
      exited_at: end.exitedAtMs || now,
      user_ms: end.userMs || undefined,
      system_ms: end.systemMs || undefined,
      peak_memory_bytes: end.peakMemoryBytes || undefined,
      workflow_id: workflow,
    })
  }

  #workflowOf(record: Recording): number | undefined | 'none' {
    return record === 'usual' ? this.#options.workflowId : record
  }

  // ---- what others left ----

  /** Counts what launches of a former resident part hold, and ends those whose clients are gone. Called before the door opens. */
  async adoptSurvivors(): Promise<void> {
    const found = findSurvivors(this.#prefix).filter(({ id }) => !this.#counted.has(id))
    const orphaned = found.filter(one => !isClientAlive(one)).map(({ id }) => id)
    for (const { id, pid, held } of found.filter(isClientAlive))
      this.#counted.add(id, pid, this.#node.ledger.adopt(held))
    if (orphaned.length > 0) await this.#options.endProcesses(new Set(orphaned), 0)
  }

  /** The door is gone, and every connection with it: who waited asks again at the next door, who runs tells it of himself. */
  loseDoor(): void {
    this.#door = undefined
    this.#byConnection.clear()
    for (const { id, pid, lender, grant } of this.#launches.values()) {
      if (grant === undefined) lender.queue.withdrawAll()
      else if (lender === this.#node) this.#counted.add(id, pid, grant)
    }
    this.#launches.clear()
  }

  #sweepLater(id: string): void {
    this.#swept.push(id)
    this.#sweepTimer ??= setTimeout(() => {
      this.#sweepTimer = undefined
      void this.#options.endProcesses(new Set(this.#swept.splice(0)), 0)
    }, SWEEP_DELAY_MS)
  }

  // ---- telling ----

  status(): NodeStatus {
    const { total } = this.#node.ledger
    const free = this.#node.ledger.free()
    const all = [...this.#launches.values()]
    const show = ({ id, pid, about, need, grant, askedAtMs, startedAtMs }: Launch) => ({
      id,
      pid,
      command: about.command,
      cpus: need.cpus,
      gpus: need.gpus,
      memory_bytes: need.memoryBytes,
      ...(grant === undefined ? {} : { cores: grant.cores, gpu_ids: grant.gpus, started_at: startedAtMs }),
      asked_at: askedAtMs,
      within: about.within,
    })
    return {
      pid: process.pid,
      socket: this.#options.path,
      total: { cpus: total.cpus, memory_bytes: total.memoryBytes, gpus: total.gpus },
      free: { cpus: free.cpus, memory_bytes: free.memoryBytes, gpus: free.gpus },
      holding: all.filter(launch => launch.grant !== undefined).map(show),
      waiting: all.filter(launch => launch.grant === undefined).map(show),
      launches: this.#serial,
      records: this.#options.recordCounts(),
    }
  }

  /** Sends away who waits, and lends no more. What runs goes on; a later resident part counts it. */
  close(): void {
    clearTimeout(this.#roomTimer)
    this.#roomTimer = undefined
    clearTimeout(this.#sweepTimer)
    this.#counted.stop()
    const waiting = [...this.#launches.values()].filter(launch => launch.grant === undefined)
    for (const launch of waiting)
      this.#sendAway(launch, 'Cannot launch as the runner has ended: `runner node` starts one')
  }
}
