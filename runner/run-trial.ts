import { disturbApi } from './faults/api.ts'
import { createDice } from './faults/dice.ts'
import { disturbFinaliser } from './faults/finaliser.ts'
import { disturbLauncher } from './faults/launcher.ts'
import type { Execute } from './job-threads/finalisers.ts'
import type { Launcher, LauncherEvents } from './launcher/types.ts'
import type { LoopApi } from './loop.ts'
import { openSimulatedLauncher } from './simulate/launcher.ts'
import { simulated } from './simulate/simulation.ts'
import type { Trial } from './trial.ts'
import type { ClaimedJob } from './wire.ts'
import type { Prepare } from './work.ts'

type OpenLauncher = (events: LauncherEvents) => Promise<Launcher>

/** Where a trial takes the place of the world, or stands in its way. */
export type World = {
  api(api: LoopApi): LoopApi
  launcher(open: OpenLauncher): OpenLauncher
  job(prepared: ReturnType<Prepare>, job: ClaimedJob): ReturnType<Prepare>
  finaliser(execute: Execute): Execute
}

/** The world of a trial. Loaded only for one. */
export function openTrial({ faults, simulation }: Trial): World {
  const dice = createDice(faults ?? { chances: new Map(), seed: 0 })
  return {
    api: api => (faults === undefined ? api : disturbApi(api, dice)),
    launcher(open) {
      const opened: OpenLauncher = simulation === undefined ? open : async events => openSimulatedLauncher(events)
      return faults === undefined ? opened : disturbLauncher(opened, dice)
    },
    job: (prepared, job) => (simulation === undefined ? prepared : simulated(prepared, job, simulation)),
    finaliser: execute => (faults === undefined ? execute : disturbFinaliser(execute, dice)),
  }
}
