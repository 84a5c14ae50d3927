import { join } from 'node:path'
import { runHelper } from './helper.ts'
import type { Exchange, Exchanged } from './programs/claim-and-complete.ts'
import { type ServerProcess, withServer } from './server.ts'
import { copyDatabase } from './template.ts'
import type { Setting } from './types.ts'

export type Exchanging = { jobs: number; rate: number; slowestMs: number; serverMicrosPerJob: number; dbPath: string }

/** Serves a copy of a database, works jobs of it off through HTTP, and leaves the database closed, to be counted. */
export async function timeExchange(
  setting: Setting,
  directory: string,
  template: { dbPath: string; workflowId: number },
  shape: Pick<Exchange, 'batch' | 'connections' | 'jobs'>,
): Promise<Exchanging> {
  const dbPath = join(directory, 'exchange.db')
  copyDatabase(template.dbPath, dbPath)
  return withServer(setting, directory, dbPath, async server => ({
    ...(await exchange(setting, server, template.workflowId, shape)),
    dbPath,
  }))
}

/** Works jobs of a workflow off at a server that runs. */
export async function exchange(
  setting: Setting,
  { url, token, cpuSeconds }: ServerProcess,
  workflowId: number,
  shape: Pick<Exchange, 'batch' | 'connections' | 'jobs'>,
): Promise<Omit<Exchanging, 'dbPath'>> {
  const cpuBefore = cpuSeconds()
  const input: Exchange = { address: { url, token }, workflowId, ...shape }
  const { jobs, seconds, slowestMs } = await runHelper<Exchange, Exchanged>(setting, 'claim-and-complete', input)
  const serverMicrosPerJob = ((cpuSeconds() - cpuBefore) / jobs) * 1e6
  return { jobs, rate: jobs / seconds, slowestMs, serverMicrosPerJob }
}
