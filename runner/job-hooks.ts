import type { Attempt } from './attempt.ts'
import type { Grant } from './capacity/ledger.ts'
import type { Client } from './client.ts'
import type { Loop, LoopApi } from './loop.ts'
import type { ClaimedJob, CompletionEntry } from './wire.ts'

/** What a command that made the jobs of a run itself wants with them: `parallel` prints output, keeps a log and stops early. */
export type JobHooks = {
  /** More variables for a job that is about to be launched; they win. */
  environment(job: ClaimedJob, grant: Grant): Record<string, string>
  /** An attempt has ended here and its log files are whole; it is reported next. */
  ended(attempt: Attempt, entry: CompletionEntry): void
  /** The loop that runs from now on. */
  direct(loop: Pick<Loop, 'drain' | 'stop'>): void
  /** Stands between the loop and the control plane, once the node has registered: `pipe` narrows the workflow to the jobs of a run. */
  watch?(api: LoopApi, registered: { client: Client; nodeId: number }): LoopApi
}
