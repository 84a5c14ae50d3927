import { setTimeout as sleep } from 'node:timers/promises'
import { detectCores } from '../capacity/cores.ts'
import type { Capacity, Ledger } from '../capacity/ledger.ts'
import { hostSystem } from '../capacity/system.ts'
import { findGate, wantsStandIn } from './binaries.ts'
import type { Door, DoorEvents } from './door.ts'
import { endProcesses } from './end-processes.ts'
import { openFifoDoor } from './fifo-door.ts'
import { GateError, openNativeDoor } from './native-door.ts'
import { RecordOutbox } from './outbox.ts'
import { makeSocketDirectory, nodeSocketPath } from './place.ts'
import { Resident } from './resident.ts'

/** A door that was lost is opened again after this long. */
const REOPEN_MS = 500

export type ServiceOptions = {
  ledger: Ledger
  capacity: Capacity
  /** The outbox for records. */
  recordsPath: string
  /** Where records go that name no workflow themselves. */
  workflowId?: number
  env: NodeJS.ProcessEnv
  onRoom(): void
}

/** The resident part of a runner, from the socket to the records of what was launched. */
export class ExecService {
  readonly path: string
  readonly outbox: RecordOutbox
  readonly resident: Resident
  readonly #env: NodeJS.ProcessEnv
  #door: Door | undefined
  #opening: Promise<void> | undefined
  #closed = false

  constructor({ ledger, capacity, recordsPath, workflowId, env, onRoom }: ServiceOptions) {
    this.#env = env
    this.path = nodeSocketPath(env, process.getuid?.() ?? 0)
    this.outbox = new RecordOutbox(recordsPath)
    const real = new Set(detectCores(hostSystem()).ids)
    this.resident = new Resident({
      path: this.path,
      ledger,
      bind: capacity.cores.every(core => real.has(core)),
      clock: Date.now,
      workflowId,
      onRecord: record => this.outbox.add(record),
      recordCounts: () => ({ waiting: this.outbox.waiting, dropped: this.outbox.dropped }),
      endProcesses,
      onRoom,
    })
  }

  /** Opens the door. Rejects when that cannot be, or another runner of this user answers there. */
  open(): Promise<void> {
    this.#opening = this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    makeSocketDirectory(this.path, Boolean(this.#env.HEADRACE_NODE_SOCKET))
    const early: Parameters<DoorEvents['onLines']>[0][number][] = []
    let isReady = false
    const door = await openDoor(this.path, this.#env, {
      onLines: lines => (isReady ? this.resident.handle(lines) : early.push(...lines)),
      onLost: () => {
        this.#opening = this.#reopen()
      },
    })
    this.#door = door
    // Only now: the launches of a runner that is still there are none of ours.
    if (door.isInherited) await this.resident.adoptSurvivors()
    this.resident.use(door)
    isReady = true
    this.resident.handle(early)
  }

  async #reopen(): Promise<void> {
    this.#door = undefined
    this.resident.loseDoor()
    while (!this.#closed) {
      await sleep(REOPEN_MS)
      try {
        return await this.#open()
      } catch {
        // What is in the way may go.
      }
    }
  }

  /** Lends no more. What runs goes on, and is counted by the next resident part. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    this.resident.close()
    await this.#door?.close({ clean: !this.resident.isBusy })
    this.outbox.flush()
  }
}

async function openDoor(path: string, env: NodeJS.ProcessEnv, events: DoorEvents): Promise<Door> {
  const gate = wantsStandIn(env) ? undefined : await findGate()
  if (gate === undefined) return openFifoDoor(path, events)
  try {
    return await openNativeDoor(gate, path, events)
  } catch (error) {
    // A copied package may have a build of another machine; any other trouble is the place's.
    if (!(error instanceof GateError)) throw error
    return openFifoDoor(path, events)
  }
}
