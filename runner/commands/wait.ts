import { amountFlag, durationFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, WORKFLOW } from '../command-line/options.ts'
import { print, printJson, stdoutPaint } from '../command-line/output.ts'
import { defineVerb, type ExitCode } from '../command-line/verb.ts'
import type { ControlPlaneFlags } from '../control-plane.ts'
import { allCompleted } from '../screen/counts.ts'
import { readCounts, renderStatus } from '../screen/status.ts'
import type { WorkflowSummary } from '../wire.ts'
import { formatOf, summaryOf, workflowId } from './ask.ts'
import { lookUntil } from './look-until.ts'

/** How long a command waits, and how often it looks. */
export const WAITING = {
  timeout: { type: 'string', valueHint: 'TIME', description: 'give up after this time (default: never)' },
  'poll-interval': { type: 'string', valueHint: 'SECONDS', description: 'time between looks (default: 2)' },
} as const

const POLL_SECONDS = 2

/** The exit codes that say how a workflow ended. */
export const ENDINGS = {
  0: 'all jobs completed',
  1: 'some did not',
  4: 'the workflow was canceled',
  5: 'the time was up before its end',
} as const
const CANCELED = 4
const TIME_UP = 5

export default defineVerb({
  about: 'Wait for the end of a workflow. The exit code says how it ended.',
  args: { ...WORKFLOW, ...WAITING, ...FORMAT, ...CONTROL_PLANE },
  examples: ['wait 3', 'wait 3 --timeout 2h && echo done'],
  exitCodes: ENDINGS,
  async run(args) {
    const format = formatOf(args.format)
    const ended = await waitForEnd(args, args.workflow, parseWaiting(args))
    if (format === 'json') printJson(ended)
    else print(renderStatus({ ...ended, workflow_name: ended.name }, stdoutPaint()))
    return endingOf(ended)
  },
})

/** Reads how long to wait. Throws a usage error. */
export function parseWaiting(flags: { timeout?: string; 'poll-interval'?: string }) {
  const timeoutSeconds = durationFlag('--timeout', flags.timeout) ?? Number.POSITIVE_INFINITY
  const pollSeconds = amountFlag('--poll-interval', flags['poll-interval']) ?? POLL_SECONDS
  return { everyMs: pollSeconds * 1000, untilMs: Date.now() + timeoutSeconds * 1000 }
}

/** Waits until a workflow is over or the time is up, and gives its state then. `seen` is told every state on the way. */
export async function waitForEnd(
  flags: ControlPlaneFlags,
  workflow: string | undefined,
  waiting: { everyMs: number; untilMs: number },
  seen: (summary: WorkflowSummary) => void = () => {},
): Promise<WorkflowSummary> {
  let id: number | undefined
  let last: WorkflowSummary | undefined
  const ended = await lookUntil(flags, waiting, async controlPlane => {
    id ??= await workflowId(controlPlane, workflow)
    last = await summaryOf(controlPlane, id, `wait for workflow ${id}`)
    seen(last)
    return last.is_complete ? last : undefined
  })
  return ended ?? last!
}

/** The exit code that says how a workflow ended. */
export function endingOf({ is_complete, is_canceled, jobs_by_status }: WorkflowSummary): ExitCode {
  if (!is_complete) return TIME_UP
  if (is_canceled) return CANCELED
  return allCompleted(readCounts(jobs_by_status)) ? 0 : 1
}
