import { dirname, join } from 'node:path'
import { findBinary } from '../launcher/binary.ts'
import { findScript, sourcesOf } from '../launcher/places.ts'

const GATE = { name: 'headrace-gate', sources: sourcesOf('exec') }

/** Whether the stand-ins are asked for although there may be native programs. */
export const wantsStandIn = (env: NodeJS.ProcessEnv): boolean => env.HEADRACE_LAUNCHER === 'shell'

/** The path of the gate; undefined where there is none and none can be built. */
export const findGate = (): Promise<string | undefined> => findBinary(GATE)

/** The path of the client that speaks to the door of this machine: the native one stands beside its gate. */
export async function findClient(env: NodeJS.ProcessEnv): Promise<string> {
  const gate = wantsStandIn(env) ? undefined : await findGate()
  return gate === undefined ? findScript('hr-exec.sh', sourcesOf('exec')) : join(dirname(gate), 'hr-exec')
}
