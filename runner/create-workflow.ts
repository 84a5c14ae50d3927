import type { ExpandedWorkflow } from '../api/core/spec/types.ts'
import type { Client, Reply } from './client.ts'
import { callerName } from './user.ts'

/** What is sent to `POST /workflows/from_expansion`: the expansion, since only this machine can read the files that a spec names. */
export type FromExpansionRequest = {
  workflow: ExpandedWorkflow
  user: string
  submission_directory: string
  source_path?: string
  source_hash?: string
}

/** Large files take their time: creation goes on in pieces on the server. */
const TIMEOUT_MS = 300_000

/**
 * A workflow that was expanded: `path` and `hash` of its file are the name under which the same command finds it again. One that came
 * from no file has neither.
 */
export type ExpandedFile = { workflow: ExpandedWorkflow; path?: string; hash?: string }

/** Creates a whole workflow in one request: all of it, or nothing. It is not initialised yet. */
export function createFromFile(
  client: Client,
  spec: ExpandedFile,
  cwd: string,
): Promise<Reply<{ workflow_id: number }>> {
  const request: FromExpansionRequest = {
    workflow: spec.workflow,
    user: callerName(),
    submission_directory: cwd,
    source_path: spec.path,
    source_hash: spec.hash,
  }
  return client.request('POST', '/workflows/from_expansion', request, { timeoutMs: TIMEOUT_MS })
}
