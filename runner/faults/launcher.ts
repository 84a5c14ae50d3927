import { parseLabel } from '../launch-label.ts'
import type { Launcher, LauncherEvents, LaunchRequest } from '../launcher/types.ts'
import type { Dice } from './dice.ts'

/** A job is killed within this time after its start: one that is quicker escapes. */
const KILLED_WITHIN_MS = 100

/** Ends with 1, wherever jobs run. */
export const FAILING_PROGRAM = 'false'
/** No system has it. */
const MISSING_PROGRAM = '/headrace/fault/fail-launch'

type Open = (events: LauncherEvents) => Promise<Launcher>

/** A launcher whose jobs meet faults. Whom a fault hits is one attempt of a job. */
export const disturbLauncher =
  (open: Open, dice: Dice): Open =>
  async events => {
    /** Whose processes are to be killed, by tag. */
    const doomed = new Map<number, string>()
    const launcher = await open({
      ...events,
      onStarted(started) {
        events.onStarted(started)
        for (const { tag } of started) {
          const whom = doomed.get(tag)
          if (whom === undefined) continue
          doomed.delete(tag)
          setTimeout(() => launcher.signal(tag, 'SIGKILL'), dice.fraction('kill-job', whom) * KILLED_WITHIN_MS)
        }
      },
    })
    return {
      kind: launcher.kind,
      launch(request) {
        const whom = attemptIn(request)
        if (dice.hits('kill-job', whom)) doomed.set(request.tag, whom)
        launcher.launch({ ...request, argv: argvFor(request, whom, dice) })
      },
      signal: (tag, signal) => launcher.signal(tag, signal),
      recall: (tag, onAnswer) => launcher.recall(tag, onAnswer),
      close: options => launcher.close(options),
    }
  }

function attemptIn({ label }: LaunchRequest): string {
  const attempt = parseLabel(label)
  return attempt === undefined ? label : `${attempt.jobId}.${attempt.attemptId}`
}

function argvFor({ argv }: LaunchRequest, whom: string, dice: Dice): LaunchRequest['argv'] {
  if (dice.hits('fail-launch', whom)) return [MISSING_PROGRAM]
  return dice.hits('fail-job', whom) ? [FAILING_PROGRAM] : argv
}
