import { type InitializeOptions, initializeWorkflow } from './initialize.ts'
import { BeingInitialized } from './initializing.ts'
import { recordInitialized } from './record-initialized.ts'
import type { Db } from './unit.ts'

/** Between looks at a workflow that somebody else is starting: about six seconds in all, in which a hundred thousand jobs are counted. */
const PAUSES_MS = [50, 100, 200, 400, 800, 1_600, 3_200]

/**
 * Starts a workflow that nobody has started, and leaves any other as it is. The same request may have come twice at once: then this waits
 * until the other one has done it, and throws BeingInitialized when that takes too long.
 */
export async function startOnce(
  db: Db,
  workflowId: number,
  who: Pick<InitializeOptions, 'now' | 'user'>,
): Promise<void> {
  for (const pauseMs of [...PAUSES_MS, undefined]) {
    try {
      const started = await initializeWorkflow(db, workflowId, { ...who, onlyUninitialized: false, once: true })
      if (started) await recordInitialized(db, workflowId)
      return
    } catch (error) {
      if (!(error instanceof BeingInitialized) || pauseMs === undefined) throw error
      await pause(pauseMs)
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
