import { detectCapacity } from './capacity/detect.ts'
import type { Capacity } from './capacity/ledger.ts'
import { offerCapacity } from './capacity/offer.ts'
import { lockDirectory } from './directory-lock.ts'
import { makeLogDirectory } from './finalise.ts'
import { asOutputError } from './make-directory.ts'
import { type NodeDirectory, type NodeState, openNodeDirectory, readNodeState, stillRuns } from './node-state.ts'
import { type ControlPlane, openControlPlane } from './run-control-plane.ts'
import type { RunSettings } from './run-options.ts'
import type { Progress } from './screen/types.ts'
import { checkServerVersion } from './server-version.ts'
import { VERSION } from './version.ts'

/** What a runner has once nobody else can run in its directory: the place, what the last one left there, and its control plane. */
export type AtNode = {
  controlPlane: ControlPlane
  directory: NodeDirectory
  former: NodeState | undefined
  capacity: Capacity
  startedAtMs: number
}

export type Refused = { kind: 'refused'; message: string; exitCode: 3 }

/**
 * Takes the node's directory and opens the control plane for as long as `work` lasts. Refuses when another runner has the directory; a disk
 * that cannot be written is one line, with exit code 3.
 */
export async function atNode<T>(
  options: RunSettings,
  progress: Progress,
  work: (node: AtNode) => Promise<T>,
): Promise<T | Refused> {
  try {
    return await takeNode(options, progress, work)
  } catch (error) {
    throw asOutputError(error, options.outputDir)
  }
}

async function takeNode<T>(
  options: RunSettings,
  progress: Progress,
  work: (node: AtNode) => Promise<T>,
): Promise<T | Refused> {
  const startedAtMs = Date.now()
  const capacity = offerCapacity(options.capacity, detectCapacity())
  makeLogDirectory(options.outputDir)
  const directory = openNodeDirectory(options.outputDir)
  const lock = await lockDirectory(directory.path)
  const former = readNodeState(directory)
  if (lock === undefined || (former !== undefined && stillRuns(former))) return inUse(options, former)
  let controlPlane: ControlPlane | undefined
  try {
    controlPlane = await openControlPlane(options)
    const strange = controlPlane.epochs && (await checkServerVersion(controlPlane.client, controlPlane.apiUrl, VERSION))
    if (strange !== undefined) return { kind: 'refused', exitCode: 3, message: strange }
    return await work({ controlPlane, directory, former, capacity, startedAtMs })
  } finally {
    progress.end()
    await controlPlane?.close()
    lock.release()
  }
}

/** Two runners in one directory would end each other's jobs. */
function inUse({ outputDir }: RunSettings, other: NodeState | undefined): Refused {
  const who = other === undefined ? '' : `: process ${other.pid}`
  const message = `Cannot run here as another runner of this host uses ${outputDir}${who}; wait for it or give another --output-dir`
  return { kind: 'refused', exitCode: 3, message }
}
