import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { detectCapacity } from '../capacity/detect.ts'
import { createLedger } from '../capacity/ledger.ts'
import { offerCapacity } from '../capacity/offer.ts'
import { CommandError, cannotRun } from '../command-line/error.ts'
import { type ControlPlaneFlags, openControlPlane } from '../control-plane.ts'
import { openNodeDirectory } from '../node-state.ts'
import type { CapacityWish } from '../run-options.ts'
import { counted } from '../screen/format.ts'
import { Forwarder, type SendBatch } from './forwarder.ts'
import { RECORDS_NAME } from './record.ts'
import { type NodeFacts, RecordSender } from './send-records.ts'
import { ExecService } from './service.ts'

export type NodeOptions = {
  wish: CapacityWish
  outputDir: string
  workflowId: number | undefined
  controlPlane: ControlPlaneFlags
}

/** V8's young generation stays as it is at the start, 8 MB: what a launch leaves is gone at once, and the resident part is to stay small. */
const SMALL_YOUNG_GENERATION = '--semi-space-growth-factor=1'

/** Lends the node until it is told to stop. Throws, with exit code 3, when the socket cannot be had. */
export async function runNode({ wish, outputDir, workflowId, controlPlane }: NodeOptions): Promise<void> {
  setFlagsFromString(SMALL_YOUNG_GENERATION)
  const capacity = offerCapacity(wish, detectCapacity())
  const ledger = createLedger(capacity)
  const { total } = ledger
  const recordsPath = join(openNodeDirectory(outputDir).path, RECORDS_NAME)
  const service = new ExecService({ ledger, capacity, recordsPath, workflowId, env: process.env, onRoom() {} })
  const stop = stopSignal()
  try {
    await service.open()
  } catch (error) {
    if (error instanceof CommandError) throw error
    throw cannotRun(`Cannot lend this node at ${service.path}: ${(error as Error).message}`)
  }
  const facts = { cpus: total.cpus, memoryBytes: total.memoryBytes, gpus: total.gpus }
  const forwarder = new Forwarder(service.outbox, senderBy(controlPlane, facts))
  forwarder.start()
  const amount = `${counted(total.cpus, 'core')} and ${counted(total.gpus, 'GPU')}`
  process.stderr.write(`Lending ${amount} at ${service.path}: launch with hr-exec, stop with Ctrl-C\n`)
  await stop
  await service.close()
  await forwarder.close()
}

/** A control plane is opened for each batch alone: a database file may be somebody else's the next moment, a server away. */
function senderBy(flags: ControlPlaneFlags, facts: NodeFacts): SendBatch {
  const sender = new RecordSender(facts)
  return async (...batch) => {
    try {
      const controlPlane = await openControlPlane(flags, process.env)
      try {
        return await sender.send(controlPlane.client, ...batch)
      } finally {
        await controlPlane.close()
      }
    } catch {
      // Not there: the records wait.
      return 'later'
    }
  }
}

function stopSignal(): Promise<void> {
  return new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
}
