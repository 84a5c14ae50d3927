import type { Incoming, Outgoing, Transport } from '../../runner/client/transport.ts'
import type { Chance } from './plan.ts'
import type { VirtualServer } from './server.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Shares of requests that meet a fault, while there are faults at all. */
const LOST = 0.02
const REPEATED = 0.02
const SLOW = 0.01
/** A connection that is refused tells at once, one that is cut only by its silence. */
const REFUSED_MS = 5
const USUAL_MS = 30
const SLOWEST_MS = 60_000

/** The way between one runner and the server: slow, cut, lossy, repeating and overtaking, all by chance. */
export class Network implements Transport {
  readonly #time: VirtualTime
  readonly #server: VirtualServer
  readonly #chance: Chance
  readonly #areFaultsOver: () => boolean
  #cutUntilMs = 0
  #isGone = false

  constructor(time: VirtualTime, server: VirtualServer, chance: Chance, areFaultsOver: () => boolean) {
    this.#time = time
    this.#server = server
    this.#chance = chance
    this.#areFaultsOver = areFaultsOver
  }

  /** Nothing comes through in either direction for so long. */
  cut(ms: number): void {
    this.#cutUntilMs = Math.max(this.#cutUntilMs, this.#time.nowMs + ms)
  }

  /** Its runner was killed: what its code still does reaches nobody. */
  leave(): void {
    this.#isGone = true
  }

  async send(request: Outgoing): Promise<Incoming> {
    const silenceMs = this.#time.nowMs + request.timeoutMs
    const there = this.#delayMs()
    if (this.#isCut || this.#hits(LOST)) return this.#silence(silenceMs)
    await this.#time.pause(there)
    // A refusal for good ends the loop of a runner that is no more.
    if (this.#isGone) return { status: 410, text: '{"message":"The runner was killed"}' }
    if (this.#isCut) return this.#silence(silenceMs)
    if (this.#hits(REPEATED)) void this.#repeat(request)
    const { life } = this.#server
    const reply = await this.#server.handle(request)
    if (reply === undefined) {
      await this.#time.pause(REFUSED_MS)
      throw new Error('connect ECONNREFUSED')
    }
    await this.#time.pause(this.#delayMs())
    if (this.#isGone || this.#isCut || this.#hits(LOST) || this.#time.nowMs > silenceMs) return this.#silence(silenceMs)
    if (this.#server.life !== life || !this.#server.isUp) throw new Error('read ECONNRESET')
    return reply
  }

  async close(): Promise<void> {}

  /** The same bytes again, later than requests that were sent after them. */
  async #repeat(request: Outgoing): Promise<void> {
    await this.#time.pause(this.#chance.between(0, SLOWEST_MS))
    await this.#server.handle(request)
  }

  async #silence(untilMs: number): Promise<never> {
    await this.#time.pause(untilMs - this.#time.nowMs)
    throw new Error('no reply')
  }

  get #isCut(): boolean {
    return this.#time.nowMs < this.#cutUntilMs
  }

  #hits(share: number): boolean {
    return !this.#areFaultsOver() && this.#chance.hits(share)
  }

  #delayMs(): number {
    return this.#hits(SLOW) ? this.#chance.between(0, SLOWEST_MS) : this.#chance.span(USUAL_MS)
  }
}
