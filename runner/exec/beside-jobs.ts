import { join } from 'node:path'
import { type Capacity, createLedger, type Grant, type Ledger } from '../capacity/ledger.ts'
import type { Client } from '../client.ts'
import { Forwarder } from './forwarder.ts'
import { RECORDS_NAME } from './record.ts'
import { RecordSender } from './send-records.ts'
import { ExecService } from './service.ts'

/** The node as a runner's jobs see it while local launches may use it as well. */
export type SharedNode = {
  ledger: Ledger
  /** Tells whether local launches have or want a part of it now. */
  isShared(): boolean
  /** Lets launches inside a job use what the job holds; returns the variables that lead them there. */
  lendWithin(jobId: number, grant: Grant): Record<string, string>
  jobEnded(jobId: number): void
  /** Names who wants to know when local launches gave something back. */
  direct(onRoom: () => void): void
  close(): Promise<void>
}

export type BesideJobsOptions = {
  capacity: Capacity
  /** The runner's directory, for the records of launches. */
  directory: string
  /** Where records go that name a workflow. */
  client: Client
  note(line: string): void
}

/**
 * Lends to local launches what jobs leave. The socket opens in the background: jobs do not wait for it, and a node where it cannot be had
 * runs jobs all the same. The first runner of a user on a node has it.
 */
export function shareNode({ capacity, directory, client, note }: BesideJobsOptions): SharedNode {
  const ledger = createLedger(capacity)
  const { cpus, memoryBytes, gpus } = ledger.total
  let tellRoom = (): void => {}
  const recordsPath = join(directory, RECORDS_NAME)
  const service = new ExecService({ ledger, capacity, recordsPath, env: process.env, onRoom: () => tellRoom() })
  const { resident } = service
  const sender = new RecordSender({ cpus, memoryBytes, gpus })
  const forwarder = new Forwarder(service.outbox, (...batch) => sender.send(client, ...batch))
  if (process.platform === 'linux') {
    service.open().then(
      () => forwarder.start(),
      (error: Error) => {
        if (!error.message.includes('another runner')) note(`No local launches on this node: ${error.message}`)
      },
    )
  }
  return {
    ledger: resident.shareWithJobs(),
    isShared: () => resident.isBusy,
    lendWithin: (jobId, grant) => resident.lendWithinJob(jobId, grant),
    jobEnded: jobId => resident.forgetJob(jobId),
    direct(onRoom) {
      tellRoom = onRoom
    },
    async close() {
      await service.close()
      await forwarder.close()
    },
  }
}
