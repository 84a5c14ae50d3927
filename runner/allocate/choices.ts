import { labelsMatch } from '../../api/core/packing.ts'
import type { Amounts, Policy, QueueFacts, ReadyGroup, Unserved } from './types.ts'
import { usableSeconds } from './walltimes.ts'

/** What is asked for a group of ready jobs: where, for how long, and how large. */
export type Choice = {
  group: ReadyGroup
  /** That may be asked and allow the wall time, the preferred one first; none while all are paused. */
  queues: readonly string[]
  walltimeSeconds: number
  offer: Amounts
}

/** Finds what each group needs; those that nothing of the plan fits are told apart, with the reason. */
export function choose(
  groups: readonly ReadyGroup[],
  queues: readonly QueueFacts[],
  policy: Policy,
): { choices: Choice[]; unserved: Unserved[] } {
  const unserved: Unserved[] = []
  const ours = groups.filter(group => {
    const reason = strangeTo(group, policy) ?? tooLarge(group, policy)
    if (reason !== undefined) unserved.push({ group, reason })
    return reason === undefined
  })
  const offer = offerFor(ours, policy)
  const choices: Choice[] = []
  for (const group of ours) {
    const found = fitTime(group, queues, policy)
    if (typeof found === 'string') unserved.push({ group, reason: found })
    else choices.push({ group, offer, ...found })
  }
  return { choices, unserved }
}

/** A runner of the plan would not be given these jobs. */
function strangeTo({ labels, schedulerId }: ReadyGroup, policy: Policy): string | undefined {
  if (!labelsMatch(policy.labels, labels)) {
    const have = policy.labels.length === 0 ? 'have no label' : `have the labels ${policy.labels.join(', ')}`
    return labels === ''
      ? `they have no label, and the runners of this plan ${have}`
      : `they need the labels ${labels}, and the runners of this plan ${have}`
  }
  if (schedulerId !== undefined && schedulerId !== policy.schedulerConfigId)
    return `they are bound to scheduler ${schedulerId}, which is not this plan's`
  return undefined
}

const GIB = 2 ** 30

/** Names the first resource of which a node has too little. */
function tooLarge(group: ReadyGroup, { node, nodesMost, requestMost, spansNodes }: Policy): string | undefined {
  if (node.cpus !== undefined && group.cpus > node.cpus)
    return `they need ${group.cpus} CPUs, and a node has ${node.cpus}`
  if (node.memoryBytes !== undefined && group.memoryBytes > node.memoryBytes)
    return `they need ${gib(group.memoryBytes)} of memory, and a node has ${gib(node.memoryBytes)}`
  if (node.gpus !== undefined && group.gpus > node.gpus)
    return `they need ${group.gpus} GPUs, and a node has ${node.gpus}`
  if (group.nodes > 1 && !spansNodes) return `they need ${group.nodes} nodes, and only on Slurm a runner spans several`
  const most = Math.min(nodesMost, requestMost)
  if (group.nodes > most) return `they need ${group.nodes} nodes, and at most ${most} may be asked for at once`
  return undefined
}

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`

/** What a node is asked to have. Memory that is not said is enough for as many jobs as there is room for by CPUs. */
function offerFor(groups: readonly ReadyGroup[], { node }: Policy): Amounts {
  const most = (amount: (group: ReadyGroup) => number, least: number) =>
    groups.reduce((largest, group) => Math.max(largest, amount(group)), least)
  const cpus = node.cpus ?? most(group => group.cpus, 1)
  const beside = (group: ReadyGroup) => Math.max(1, Math.floor(cpus / Math.max(group.cpus, 1)))
  return {
    cpus,
    memoryBytes: node.memoryBytes ?? most(group => group.memoryBytes * beside(group), 0),
    gpus: node.gpus ?? most(group => group.gpus, 0),
  }
}

/**
 * The shortest wall time that fits a job, and the queues that allow it: those that refused last come last, those that are paused not at
 * all. A text says why there is none.
 */
function fitTime(
  { runtimeSeconds }: ReadyGroup,
  facts: readonly QueueFacts[],
  { queues, walltimesSeconds }: Policy,
): Pick<Choice, 'queues' | 'walltimeSeconds'> | string {
  const stateOf = new Map(facts.map(queue => [queue.name, queue]))
  for (const walltimeSeconds of walltimesSeconds) {
    if (usableSeconds(walltimeSeconds) < runtimeSeconds) continue
    const allowing = queues.filter(queue => walltimeSeconds <= (queue.walltimeMostSeconds ?? Number.POSITIVE_INFINITY))
    if (allowing.length === 0) break
    const open = allowing.filter(({ name }) => !stateOf.get(name)?.isPaused)
    const refusing = ({ name }: { name: string }) => (stateOf.get(name)?.refusedInRow ?? 0) > 0
    const inOrder = [...open.filter(queue => !refusing(queue)), ...open.filter(refusing)]
    return { queues: inOrder.map(({ name }) => name), walltimeSeconds }
  }
  return `they run for ${Math.ceil(runtimeSeconds)} s, and no wall time of the plan has room for that (a runner starts late and ends early)`
}
