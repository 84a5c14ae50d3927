import { join } from 'node:path'
import { createApp } from '../../api/app.ts'
import { startTicking } from '../../api/node/ticking.ts'
import { findEpoch } from '../../db/identity.ts'
import { migrate } from '../../db/migrate.ts'
import { openFile } from '../../db/open-file.ts'
import { healAfterStart } from '../../db/tick.ts'
import type { Db, Unit } from '../../db/unit.ts'
import { createAppTransport } from '../../runner/client/app-transport.ts'
import type { Incoming, Outgoing, Transport } from '../../runner/client/transport.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Told of every request that was handled, answered or not: what has taken effect. */
export type Observer = (request: Outgoing, reply: Incoming) => void

/** The control plane: its own app over its own file, killed and started again. */
export class VirtualServer {
  readonly #time: VirtualTime
  readonly #path: string
  readonly #observe: Observer
  #running: { db: Db; app: Transport; epoch: string; stop: () => Promise<void> } | undefined
  /** Transactions that are still to be committed before it is killed. */
  #killAfter = Number.POSITIVE_INFINITY
  /** How often it was started: a reply of an earlier life never arrives. */
  life = 0
  readonly faults: string[] = []

  constructor(time: VirtualTime, directory: string, observe: Observer) {
    this.#time = time
    this.#path = join(directory, 'simulated.db')
    this.#observe = observe
  }

  get isUp(): boolean {
    return this.#running !== undefined
  }

  async start(): Promise<void> {
    await this.#time.during(this.#start())
  }

  async #start(): Promise<void> {
    const clock = (): number => this.#time.nowMs
    const db = openFile(this.#path)
    await db.write(() => migrate(clock()))
    await healAfterStart(db, clock())
    this.#killAfter = Number.POSITIVE_INFINITY
    this.life++
    const killable: Db = {
      read: unit => db.read(unit),
      write: unit => {
        if (this.#killAfter-- <= 0) return Promise.reject(new Killed())
        return db.write(unit)
      },
      get writeTransactions() {
        return db.writeTransactions
      },
      close: () => db.close(),
    }
    const onFault = (error: unknown): void => {
      if (!(error instanceof Killed)) this.faults.push(error instanceof Error ? String(error.stack) : String(error))
    }
    const app = createAppTransport(createApp({ db: killable, clock, version: '0', onFault }))
    const epoch = await db.read(findEpoch)
    this.#running = { db, app, epoch, stop: startTicking(killable, () => {}) }
  }

  /** Ends it in the middle of what it does: after so many transactions more. */
  async kill(transactions: number): Promise<void> {
    this.#killAfter = transactions
    // What is under way meets its end within this time.
    await this.#time.pause(1_000)
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    this.#killAfter = 0
    await this.#time.during(
      (async () => {
        await running.stop()
        await running.db.close()
      })(),
    )
  }

  /** Handles a request in no virtual time; undefined when nobody is there to answer. */
  async handle(request: Outgoing): Promise<Incoming | undefined> {
    const running = this.#running
    if (running === undefined) return undefined
    const reply = await this.#time.during(running.app.send(request))
    if (this.#killAfter < 0) return undefined
    this.#observe(request, reply)
    // A header of every reply, which the way through one process leaves out.
    return { ...reply, epoch: running.epoch }
  }

  /** Looks into the file; the server has to be up. */
  read<T>(unit: () => Unit<T>): Promise<T> {
    if (this.#running === undefined)
      return Promise.reject(new Error('Cannot look into the database as its server is down'))
    return this.#running.db.read(unit)
  }
}

/** A transaction that came after the kill. */
class Killed extends Error {}
