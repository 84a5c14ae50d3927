import type { Execute, FinaliseTask } from '../job-threads/finalisers.ts'
import type { Dice } from './dice.ts'

/** Finalisers that fail now and then. Whom the fault hits is one try of one attempt. */
export function disturbFinaliser(execute: Execute, dice: Dice): Execute {
  const tries = new WeakMap<FinaliseTask, number>()
  return task => {
    const tried = (tries.get(task) ?? 0) + 1
    tries.set(task, tried)
    const { jobId, attemptId } = task.attempt
    return dice.hits('fail-finalise', `${jobId}.${attemptId}.${tried}`)
      ? { error: 'fail-finalise of --fault' }
      : execute(task)
  }
}
