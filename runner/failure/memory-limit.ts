import type { ClaimedJob } from '../wire.ts'

/** What the set `default` says, which every job without requirements has: a placeholder, less than a shell needs (spec-format.md 7). */
const PLACEHOLDER_BYTES = 2 ** 20

export type LimitTerms = {
  /** The workflow's `limit_resources`. */
  limitResources: boolean
  /** Queue-depth mode: requirements are ignored. */
  bySlots: boolean
}

/** How much memory a job may use at most; undefined = nobody looks. */
export function memoryLimitOf(
  { resource_requirements: set }: Pick<ClaimedJob, 'resource_requirements'>,
  { limitResources, bySlots }: LimitTerms,
): number | undefined {
  if (!limitResources || bySlots || set.memory_bytes <= PLACEHOLDER_BYTES) return undefined
  return set.memory_bytes
}
