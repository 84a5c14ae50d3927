/** Which ready jobs a claim gets: pure choice over candidates (contract/notes.md 10.2; reservations: 18). */

/** What one node offers. `nodes` is the raw number from the claim; packing counts at least one. */
export type Offer = {
  cpus: number
  memoryBytes: number
  gpus: number
  nodes: number
  /** Seconds left on the node; undefined = unlimited. */
  timeLimitSeconds?: number
}

/** What every job of a class needs. Jobs of one class differ in priority and id only. */
export type Need = {
  cpus: number
  memoryBytes: number
  gpus: number
  nodes: number
  runtimeSeconds: number
}

export type JobClass = Need & { id: number; schedulerId: number | null; labels: string }

export type Candidate = { id: number; priority: number; class: JobClass }

export const SORT_METHODS = ['gpus_runtime_memory', 'gpus_memory_runtime', 'none'] as const
export type SortMethod = (typeof SORT_METHODS)[number]

/** Tells whether a job of this class could run on the offered nodes if they were empty. */
export function fitsAlone(need: Need, offer: Offer): boolean {
  return (
    need.cpus <= offer.cpus &&
    need.memoryBytes <= offer.memoryBytes &&
    need.gpus <= offer.gpus &&
    need.nodes <= offer.nodes &&
    (offer.timeLimitSeconds === undefined || Math.trunc(need.runtimeSeconds) <= offer.timeLimitSeconds)
  )
}

/**
 * Tells whether a runner with these labels may take jobs with those: without labels only unlabeled jobs, with labels only
 * labeled ones whose labels it all has (notes.md 19.5). Both are comma-joined sorted sets.
 */
export function labelsMatch(runner: readonly string[], job: string): boolean {
  if (job === '') return runner.length === 0
  return runner.length > 0 && job.split(',').every(label => runner.includes(label))
}

/** The order in which jobs are offered: priority first, then by the workflow's sort method, then id. */
export function claimOrder(method: SortMethod): (a: Candidate, b: Candidate) => number {
  return (a, b) => b.priority - a.priority || compareNeeds(method, a.class, b.class) || a.id - b.id
}

function compareNeeds(method: SortMethod, a: Need, b: Need): number {
  switch (method) {
    case 'none':
      return 0
    case 'gpus_runtime_memory':
      return b.gpus - a.gpus || b.runtimeSeconds - a.runtimeSeconds || b.memoryBytes - a.memoryBytes || b.cpus - a.cpus
    case 'gpus_memory_runtime':
      return b.gpus - a.gpus || b.memoryBytes - a.memoryBytes || b.runtimeSeconds - a.runtimeSeconds || b.cpus - a.cpus
  }
}

export type Packed = {
  taken: Candidate[]
  /** Claimed ahead of a free slot: each is within the hold offer, none is started yet. */
  held: Candidate[]
  /** The most urgent candidate that fits the whole node but was left for want of room while something less urgent was chosen. */
  passedOver: Candidate | undefined
}

export type PackOptions = {
  limit: number
  /** The whole node, empty: what tells a job that is merely too early here from one that is too large. */
  total?: Offer | undefined
  /** That many jobs more, ahead of free slots, each within what the offer says (the grant of a job that runs now). */
  hold?: { jobs: number; offer: Offer } | undefined
}

/**
 * Walks the candidates in order and takes what still fits, at most `limit` in all; what does not may be held. Multi-node jobs
 * take whole nodes, the others share what is left over (no placement).
 */
export function pack(candidates: readonly Candidate[], offer: Offer, { limit, total, hold }: PackOptions): Packed {
  const room = createRoom(offer)
  const mostHeld = hold?.jobs ?? 0
  const taken: Candidate[] = []
  const held: Candidate[] = []
  let firstLeft: Candidate | undefined
  let passedOver: Candidate | undefined

  for (const candidate of candidates) {
    if (taken.length >= limit && held.length >= mostHeld) break
    const need = candidate.class
    if (taken.length < limit && room.take(need)) {
      taken.push(candidate)
    } else if (hold !== undefined && held.length < mostHeld && fitsAlone(need, hold.offer)) {
      held.push(candidate)
    } else {
      if (total !== undefined && fitsAlone(need, total)) firstLeft ??= candidate
      continue
    }
    passedOver ??= firstLeft
  }
  return { taken, held, passedOver }
}

/** Counts what chosen jobs leave of the offered nodes. */
function createRoom(offer: Offer): { take(need: Need): boolean } {
  const nodes = Math.max(offer.nodes, 1)
  const used = { cpus: 0, memoryBytes: 0, gpus: 0 }
  let exclusive = 0
  return {
    take(need) {
      if (!fitsAlone(need, offer)) return false
      const multi = need.nodes > 1
      const shared = nodes - exclusive - (multi ? need.nodes : 0)
      if (shared < 0) return false
      const extra = multi ? { cpus: 0, memoryBytes: 0, gpus: 0 } : need
      if (used.cpus + extra.cpus > shared * offer.cpus) return false
      if (used.memoryBytes + extra.memoryBytes > shared * offer.memoryBytes) return false
      if (used.gpus + extra.gpus > shared * offer.gpus) return false
      if (multi) exclusive += need.nodes
      used.cpus += extra.cpus
      used.memoryBytes += extra.memoryBytes
      used.gpus += extra.gpus
      return true
    },
  }
}
