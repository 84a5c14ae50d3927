/** A timer that has not gone off. */
type Timer = { atMs: number; order: number; act: () => void; isCanceled: boolean; everyMs?: number }

/** Immediates and replies of the control plane take no virtual time; that many turns without an end are a fault. */
const MOST_TURNS = 1_000_000

/**
 * A clock that stands still while anything happens and jumps to the next timer when nothing does. It takes the place of the timers, dates and
 * immediates of this process, so that the runner's and the server's own code runs on it unchanged.
 */
export class VirtualTime {
  nowMs: number
  #timers: Timer[] = []
  #order = 0
  #immediates = 0
  #busy = 0
  readonly #nextTurn: () => Promise<void>

  constructor(startMs: number) {
    this.nowMs = startMs
    const { setImmediate: later } = globalThis
    this.#nextTurn = () => new Promise(resolve => later(resolve))
  }

  /** Replaces this process's time for good. */
  install(): void {
    const now = (): number => this.nowMs
    const startMs = this.nowMs
    const RealDate = Date
    const immediately = globalThis.setImmediate
    const notImmediately = globalThis.clearImmediate
    const open = new Set<NodeJS.Immediate>()
    class VirtualDate extends RealDate {
      constructor(...parts: [] | [value: number | string | Date]) {
        super(parts[0] ?? now())
      }
      static override now = now
    }
    const set = (act: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      new Handle(this.#set(() => act(...args), ms))
    const setRepeated = (act: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
      new Handle(this.#set(() => act(...args), ms, Math.max(1, ms)))
    const clear = (handle: unknown): void => {
      if (handle instanceof Handle) handle.timer.isCanceled = true
    }
    const setSoon = (act: (...args: unknown[]) => void, ...args: unknown[]): NodeJS.Immediate => {
      this.#immediates++
      const handle = immediately(() => {
        this.#immediates--
        open.delete(handle)
        act(...args)
      })
      open.add(handle)
      return handle
    }
    const clearSoon = (handle: NodeJS.Immediate | undefined): void => {
      if (handle === undefined || !open.delete(handle)) return
      this.#immediates--
      notImmediately(handle)
    }
    Object.assign(globalThis, { Date: VirtualDate, setTimeout: set, clearTimeout: clear, setInterval: setRepeated })
    Object.assign(globalThis, { clearInterval: clear, setImmediate: setSoon, clearImmediate: clearSoon })
    performance.now = () => this.nowMs - startMs
  }

  /** Lets a piece of work that takes no virtual time finish before the clock goes on. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#busy++
    try {
      return await work
    } finally {
      this.#busy--
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise(resolve => this.#set(resolve, ms))
  }

  /** Lets time pass until that moment, or until `isOver` says so. */
  async run(untilMs: number, isOver: () => boolean): Promise<void> {
    for (;;) {
      await this.#settle()
      if (isOver()) return
      const next = this.#takeNext(untilMs)
      if (next === undefined) break
      this.nowMs = Math.max(this.nowMs, next.atMs)
      if (next.everyMs !== undefined) {
        next.atMs = this.nowMs + next.everyMs
        this.#push(next)
      }
      next.act()
    }
    this.nowMs = untilMs
  }

  async #settle(): Promise<void> {
    let turns = 0
    do {
      if (++turns > MOST_TURNS) throw new Error('The simulated programs do not come to rest')
      await this.#nextTurn()
    } while (this.#immediates > 0 || this.#busy > 0)
  }

  #set(act: () => void, ms: number, everyMs?: number): Timer {
    // Whole milliseconds, as real clocks tell and the database keeps.
    const timer = { atMs: this.nowMs + Math.max(1, Math.round(ms)), order: 0, act, isCanceled: false, everyMs }
    this.#push(timer)
    return timer
  }

  // ---- a binary heap, the earliest in front; of one moment the first set goes first ----

  #push(timer: Timer): void {
    timer.order = this.#order++
    const heap = this.#timers
    heap.push(timer)
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!isBefore(heap[at]!, heap[parent]!)) break
      swap(heap, at, parent)
      at = parent
    }
  }

  #takeNext(untilMs: number): Timer | undefined {
    for (;;) {
      const first = this.#timers[0]
      if (first === undefined || first.atMs > untilMs) return undefined
      this.#removeFirst()
      if (!first.isCanceled) return first
    }
  }

  #removeFirst(): void {
    const heap = this.#timers
    const last = heap.pop()!
    if (heap.length === 0) return
    heap[0] = last
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let least = at
      if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left
      if (right < heap.length && isBefore(heap[right]!, heap[least]!)) least = right
      if (least === at) return
      swap(heap, at, least)
      at = least
    }
  }
}

/** What the code under test keeps of a timer. */
class Handle {
  readonly timer: Timer
  constructor(timer: Timer) {
    this.timer = timer
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
  hasRef(): boolean {
    return true
  }
}

const isBefore = (a: Timer, b: Timer): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

function swap(heap: Timer[], a: number, b: number): void {
  const one = heap[a]!
  heap[a] = heap[b]!
  heap[b] = one
}
