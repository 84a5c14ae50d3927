import { readJournal } from './journal.ts'
import { endSurvivors } from './survivors.ts'
import type { LauncherEvents } from './types.ts'

/**
 * After a launcher's own death: ends what it left running, reports the exits that it had recorded but could not report any
 * more, and tells that the rest is lost. An error in ending the survivors becomes part of the reason.
 */
export async function reportLoss(
  journal: string,
  launcherId: string,
  running: ReadonlySet<number>,
  events: LauncherEvents,
  reason: string,
): Promise<void> {
  const failure = await endSurvivors(journal).then(
    () => '',
    (error: Error) => `; ${error.message}`,
  )
  const exits = readJournal(journal)
    .launches.filter(launch => launch.launcherId === launcherId && running.has(launch.tag) && !launch.cut)
    .flatMap(launch => launch.exit ?? [])
  if (exits.length > 0) events.onExited(exits)
  events.onLost(reason + failure)
}
