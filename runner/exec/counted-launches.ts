import type { Grant, Ledger } from '../capacity/ledger.ts'
import { isClientAlive } from './survivors.ts'

/** They are looked at this often, until their clients have reported or are gone. */
const LOOK_MS = 500

type Counted = { id: string; pid: number; grant: Grant }

export type CountedOptions = {
  ledger: Ledger
  /** Ends the processes of a launch; resolves when they are gone. */
  end(id: string): Promise<void>
  /** Something became free. */
  onFree(): void
}

/**
 * Launches that hold a part of the node and have no connection now, as after a death of the resident part or its door. Their clients may
 * report; those that cannot, as the stand-in's, are known to be over by their end.
 */
export class CountedLaunches {
  readonly #options: CountedOptions
  readonly #counted = new Map<string, Counted>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: CountedOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#counted.size
  }

  has(id: string): boolean {
    return this.#counted.has(id)
  }

  add(id: string, pid: number, grant: Grant): void {
    this.#counted.set(id, { id, pid, grant })
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS)
  }

  /** Gives back what a launch holds, if it is counted here. */
  release(id: string): void {
    const counted = this.#counted.get(id)
    if (counted === undefined) return
    this.#counted.delete(id)
    this.#options.ledger.release(counted.grant)
    if (this.#counted.size === 0) this.stop()
  }

  /** Looks no more; what is counted stays so. */
  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    for (const { id } of [...this.#counted.values()].filter(one => !isClientAlive(one))) {
      void this.#options.end(id).then(() => {
        this.release(id)
        this.#options.onFree()
      })
    }
  }
}
