/** What a node has for jobs: core ids, bytes, GPU ids. `slots` switches to queue-depth mode. */
export type Capacity = {
  cores: readonly number[]
  memoryBytes: number
  gpus: readonly string[]
  slots?: number
}

export type Need = { cpus: number; memoryBytes: number; gpus: number }

/** What one launch holds until it is released. In queue-depth mode it has no cores: jobs share them on purpose. */
export type Grant = {
  readonly cores: readonly number[]
  readonly gpus: readonly string[]
  readonly memoryBytes: number
  /** Queue-depth mode: which of the slots, from 1; no two launches that run have the same. */
  readonly slot?: number
}

/** What somebody holds already: cores by id, or so many of those that are free where it is not bound to any. */
export type Held = Omit<Grant, 'cores'> & { readonly cores: readonly number[] | number }

export type Free = { cpus: number; memoryBytes: number; gpus: number; slots: number }

export type Ledger = {
  /** Takes everything that is needed, or nothing: undefined when it does not fit what is free now. */
  reserve(need: Need): Grant | undefined
  /**
   * Takes what somebody holds already, as far as it is here: ids that are not free or not this node's are left out, and memory may be
   * overdrawn until enough of it is given back.
   */
  adopt(former: Held): Grant
  /** Gives a grant back. Throws when it is not held: that is a bug which would oversubscribe the node. */
  release(grant: Grant): void
  /**
   * Sets aside a part of a held grant for the launch that follows it without asking; undefined when the grant is too small.
   * The part counts only once it is handed over, so a follower that is called back owes nothing.
   */
  inherit(grant: Grant, need: Need): Grant | undefined
  /** Passes a grant on to its follower and gives back what the follower does not need. Throws when it is not held. */
  handOver(ended: Grant, follower: Grant): void
  /** Tells whether the need would fit if nothing else ran. */
  fitsEmpty(need: Need): boolean
  /** Tells whether the need fits what is free now. */
  fitsNow(need: Need): boolean
  free(): Free
  readonly total: Free
}

/**
 * Keeps the one account of what is free on a node. In resources mode cores, memory and GPUs are all counted; in queue-depth mode
 * only slots are, but a GPU id still goes to one grant at a time.
 */
export function createLedger({ cores, memoryBytes, gpus, slots }: Capacity): Ledger {
  const bySlots = slots !== undefined
  const freeCores = [...cores]
  const freeGpus = [...gpus]
  /** The last is lent next, so that low numbers go first. */
  const freeSlots = Array.from({ length: slots ?? 0 }, (_, index) => slots! - index)
  let freeMemory = memoryBytes
  const held = new Set<Grant>()
  const coreRank = rankOf(cores)
  const gpuRank = rankOf(gpus)

  const total: Free = { cpus: cores.length, memoryBytes, gpus: gpus.length, slots: slots ?? cores.length }

  function fits(need: Need, free: Free): boolean {
    if (need.gpus > free.gpus) return false
    return bySlots ? free.slots > 0 : need.cpus <= free.cpus && need.memoryBytes <= free.memoryBytes
  }

  function free(): Free {
    const left = bySlots ? freeSlots.length : freeCores.length
    return { cpus: freeCores.length, memoryBytes: freeMemory, gpus: freeGpus.length, slots: left }
  }

  /** Makes a grant of the first ids of both lists; in queue-depth mode cores and memory are not counted. */
  function takeFrom(ids: readonly number[], devices: readonly string[], need: Need, slot: number | undefined): Grant {
    return {
      cores: bySlots ? [] : ids.slice(0, need.cpus),
      gpus: devices.slice(0, need.gpus),
      memoryBytes: bySlots ? 0 : need.memoryBytes,
      slot,
    }
  }

  const takeCores = (wanted: Held['cores']): number[] =>
    typeof wanted === 'number' ? freeCores.splice(0, wanted) : take(freeCores, wanted)

  /** Ends a grant; what `kept` holds of it stays lent. */
  function end(grant: Grant, kept?: Grant): void {
    if (!held.delete(grant)) {
      throw new Error(`Cannot release a grant that is not held: cores ${grant.cores}, GPUs ${grant.gpus}`)
    }
    giveBack(freeCores, without(grant.cores, kept?.cores), coreRank)
    giveBack(freeGpus, without(grant.gpus, kept?.gpus), gpuRank)
    freeMemory += grant.memoryBytes - (kept?.memoryBytes ?? 0)
    if (kept !== undefined) held.add(kept)
    else if (grant.slot !== undefined) freeSlots.push(grant.slot)
  }

  return {
    total,
    free,
    fitsEmpty: need => fits(need, total),
    fitsNow: need => fits(need, free()),
    reserve(need) {
      if (!fits(need, free())) return undefined
      const grant = takeFrom(freeCores, freeGpus, need, freeSlots.pop())
      freeCores.splice(0, grant.cores.length)
      freeGpus.splice(0, grant.gpus.length)
      freeMemory -= grant.memoryBytes
      held.add(grant)
      return grant
    },
    adopt(former) {
      const grant: Grant = {
        cores: bySlots ? [] : takeCores(former.cores),
        gpus: take(freeGpus, former.gpus),
        memoryBytes: bySlots ? 0 : former.memoryBytes,
        slot: freeSlots.pop(),
      }
      freeMemory -= grant.memoryBytes
      held.add(grant)
      return grant
    },
    release: grant => end(grant),
    inherit(grant, need) {
      const { cores, gpus, memoryBytes } = grant
      const left: Free = { cpus: cores.length, memoryBytes, gpus: gpus.length, slots: 1 }
      return fits(need, left) ? takeFrom(cores, gpus, need, grant.slot) : undefined
    },
    handOver: (ended, follower) => end(ended, follower),
  }
}

/** Takes those of the wanted ids that are free. */
function take<T>(free: T[], wanted: readonly T[]): T[] {
  const taken = wanted.filter(id => free.includes(id))
  free.splice(0, free.length, ...without(free, taken))
  return taken
}

const without = <T>(all: readonly T[], kept: readonly T[] = []): T[] => all.filter(id => !kept.includes(id))

/** Keeps the node's own order, so that low ids are lent first and a job's cores lie side by side when possible. */
function giveBack<T>(free: T[], lent: readonly T[], rank: ReadonlyMap<T, number>): void {
  free.push(...lent)
  free.sort((a, b) => rank.get(a)! - rank.get(b)!)
}

const rankOf = <T>(all: readonly T[]): Map<T, number> => new Map(all.map((id, index) => [id, index]))
