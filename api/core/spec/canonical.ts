import { compareCodePoints } from './data-json.ts'
import type { ExpandedFile, ExpandedWorkflow } from './types.ts'

/**
 * One text per expansion, the same for every format and every order of keys: what the caller hashes to recognise a workflow that was
 * submitted before. Times of files are left out: they come from the disk, and change when the workflow has run.
 */
export function canonicalExpansion(workflow: ExpandedWorkflow): string {
  const known = new Map<object, unknown>()
  const jobs = workflow.jobs.map(job =>
    job.env === undefined && job.tags === undefined
      ? job
      : { ...job, env: sortKeys(job.env, known), tags: sortKeys(job.tags, known) },
  )
  const { files, userData, ...rest } = workflow
  return JSON.stringify([sortKeys({ ...rest, jobs: [] }, known), jobs, files.map(withoutTime), userData])
}

function withoutTime({ name, path, identifier }: ExpandedFile): Omit<ExpandedFile, 'stMtime'> {
  return { name, path, identifier }
}

/**
 * Sorts the keys of maps that a file's author orders. The long lists are left out: this program makes their items, always with the
 * same keys in the same order. Maps of texts are shared between jobs, so each is sorted once.
 */
function sortKeys(value: unknown, known: Map<object, unknown>): unknown {
  if (Array.isArray(value)) return value.map(item => sortKeys(item, known))
  if (typeof value !== 'object' || value === null) return value
  const done = known.get(value)
  if (done) return done
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => compareCodePoints(a, b))
  const sorted = Object.fromEntries(entries.map(([key, member]) => [key, sortKeys(member, known)]))
  known.set(value, sorted)
  return sorted
}
