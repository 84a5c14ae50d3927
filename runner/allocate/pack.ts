import { fill, type Load, timeOf } from './bins.ts'
import type { Choice } from './choices.ts'
import type { Policy } from './types.ts'
import { usableSeconds } from './walltimes.ts'

/** Elements that are alike, before caps. */
export type Want = {
  choice: Choice
  nodes: number
  /** Jobs and used part of each element, the fullest first. */
  elements: { jobs: number; area: number }[]
  oldestMs: number
}

/** Packs what is left into new elements, the longest first, so that shorter jobs fill what the long ones leave. */
export function packNew(choices: readonly Choice[], loads: readonly Load[], policy: Policy, inUse: number): Want[] {
  const wants: Want[] = []
  const inOrder = [...choices].sort(
    (a, b) => b.walltimeSeconds - a.walltimeSeconds || b.group.nodes - a.group.nodes || b.group.cpus - a.group.cpus,
  )
  let room = policy.nodesMost - inUse
  for (const choice of inOrder) {
    const { group, offer, walltimeSeconds } = choice
    const load = loads.find(candidate => candidate.group === group)!
    const usable = usableSeconds(walltimeSeconds)
    const nodes = group.nodes
    if (load.left === 0) continue
    let want = wants.find(other => isAlike(other, choice))
    if (want === undefined) {
      want = { choice, nodes, elements: [], oldestMs: group.readySinceMs }
      wants.push(want)
    }
    want.oldestMs = Math.min(want.oldestMs, group.readySinceMs)
    // The group itself first: an element is for it, whatever else rides along.
    const order = [load, ...loads.filter(other => other !== load)]
    while (load.left > 0 && room >= nodes) {
      const seconds = timeOf(usable, [load], policy.finishWithinSeconds ?? usable)
      const filled = fill({ free: offer, nodes, seconds }, order)
      if (filled.jobs === 0) break
      want.elements.push(filled)
      room -= nodes
    }
  }
  return wants.filter(want => want.elements.length > 0)
}

const isAlike = ({ choice, nodes }: Want, other: Choice): boolean =>
  nodes === other.group.nodes &&
  choice.walltimeSeconds === other.walltimeSeconds &&
  choice.queues.join() === other.queues.join()
