import type { ClaimedJob } from '../wire.ts'

/** To which node of a runner a job was given. */
export type Place = { workflow_id: number; compute_node_id: number }

/** Workflows whose turns are remembered: more than have ready work at a time, on most servers. */
const TURNS_KEPT = 256

/** What a runner that serves many workflows keeps of its claims, so that it can say of each job whose it is, and whose turn was last. */
export type ClaimBook = {
  note(jobs: readonly (ClaimedJob & Place)[]): void
  /** Where a job belongs; undefined when it was settled. */
  placeOf(jobId: number): Place | undefined
  forget(jobIds: Iterable<number>): void
  /** Workflows in the order of their last turns, the one longest ago first. */
  turns(): readonly number[]
  /** All that was claimed and not settled. */
  claims(): ({ job_id: number; claim_token: string } & Place)[]
  /** Workflows of which jobs are here. */
  workflows(): Set<number>
}

export function createClaimBook(): ClaimBook {
  const places = new Map<number, Place & { claim_token: string }>()
  let turns: number[] = []
  return {
    note(jobs) {
      for (const { id, workflow_id, compute_node_id, claim_token } of jobs)
        places.set(id, { workflow_id, compute_node_id, claim_token })
      const served = [...new Set(jobs.map(job => job.workflow_id))]
      turns = [...turns.filter(id => !served.includes(id)), ...served].slice(-TURNS_KEPT)
    },
    placeOf: jobId => places.get(jobId),
    forget(jobIds) {
      for (const id of jobIds) places.delete(id)
    },
    claims: () => [...places].map(([job_id, place]) => ({ job_id, ...place })),
    turns: () => turns,
    workflows: () => new Set([...places.values()].map(place => place.workflow_id)),
  }
}
