import type { Unit } from '../../db/unit.ts'
import { AppError } from '../errors.ts'
import { needWorkflow } from './guards.ts'

/** Most entries of one bulk request. One more than the contract says, since clients slice that way (contract/notes.md 9.1). */
const MOST = 100_001

/** Gives the one workflow that all entries name; 404 when it is missing, 422 for an empty list, too long a list or two workflows. */
export function* oneWorkflowOf(entries: readonly { workflow_id: number }[], what: string): Unit<number> {
  const first = entries[0]
  if (first === undefined) throw new AppError('invalid', `Cannot create ${what} as the list is empty`, { field: what })
  yield* needWorkflow(first.workflow_id)
  const other = entries.find(entry => entry.workflow_id !== first.workflow_id)
  if (other !== undefined) {
    const message = `Cannot create ${what} as they name two workflows: ${first.workflow_id} and ${other.workflow_id}`
    throw new AppError('invalid', message, { field: 'workflow_id' })
  }
  if (entries.length > MOST) {
    throw new AppError('invalid', `Cannot create more than ${MOST} ${what} in one request: got ${entries.length}`, {
      field: what,
    })
  }
  return first.workflow_id
}

/** Ends with 422 when two entries of the batch have one name; names that the workflow has already do not matter. */
export function refuseRepeatedNames(entries: readonly { name: string }[], what: string): void {
  const seen = new Set<string>()
  entries.forEach(({ name }, index) => {
    if (seen.has(name))
      throw new AppError('invalid', `Cannot create ${what} as entry ${index} repeats a name`, {
        field: `${what}.${index}.name`,
      })
    seen.add(name)
  })
}
