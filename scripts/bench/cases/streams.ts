import { join } from 'node:path'
import { exchange } from '../exchange.ts'
import { openApi } from '../programs/api.ts'
import { withServer } from '../server.ts'
import { besideStreams } from '../streams.ts'
import { copyDatabase, makeTemplate, type Template } from '../template.ts'
import { type Case, type Contender, type Setting, WrongResult } from '../types.ts'
import { longChainSpec } from '../workloads/specs.ts'

type Size = {
  idle: number
  busy: number
  chains: number
  length: number
  jobs: number
  batch: number
  connections: number
}

const FULL: Size = { idle: 1_000, busy: 10, chains: 1_000, length: 30, jobs: 25_000, batch: 100, connections: 8 }
const QUICK: Size = { idle: 20, busy: 2, chains: 50, length: 5, jobs: 200, batch: 10, connections: 2 }

export const streams: Case = {
  name: 'streams',
  about: 'claims and completions beside 1,000 event streams on idle workflows and 10 on the busy one',
  async prepare(setting) {
    const size = setting.quick ? QUICK : FULL
    const template = await makeTemplate(setting, longChainSpec(size.chains, size.length))
    const idleIds = await addIdleWorkflows(setting, template, size.idle)
    const without = contenderOf(setting, template, size, [])
    const beside = contenderOf(setting, template, size, idleIds)
    return {
      contenders: [without, beside],
      lines: [
        { contender: without.name, figure: 'rate', unit: '1/s' },
        {
          contender: beside.name,
          figure: 'rate',
          unit: '1/s',
          against: { contender: without.name, target: { least: 0.9 } },
        },
        { contender: without.name, figure: 'server', unit: 'µs' },
        {
          contender: beside.name,
          figure: 'server',
          unit: 'µs',
          against: { contender: without.name, target: { most: 1.1 } },
        },
      ],
    }
  },
}

/** Workflows beside the busy one, which nothing happens in. */
async function addIdleWorkflows(setting: Setting, { dbPath }: Template, count: number): Promise<number[]> {
  return withServer(setting, setting.directories.make('idle'), dbPath, async address => {
    const api = openApi(address, 4)
    const ids: number[] = []
    for (let k = 0; k < count; k++) {
      const body = JSON.stringify({ name: `idle_${k}`, user: 'bench' })
      ids.push((await api.send<{ id: number }>('POST', '/workflows', body)).id)
    }
    await api.close()
    return ids
  })
}

function contenderOf(setting: Setting, template: Template, size: Size, idleIds: number[]): Contender {
  const { jobs, batch, connections } = size
  const busyStreams = idleIds.length === 0 ? 0 : size.busy
  return {
    name: idleIds.length === 0 ? 'no streams' : `${idleIds.length + busyStreams} streams`,
    async run(directory) {
      const dbPath = join(directory, 'streams.db')
      copyDatabase(template.dbPath, dbPath)
      return withServer(setting, directory, dbPath, async server => {
        const work = () => exchange(setting, server, template.workflowId, { jobs, batch, connections })
        if (busyStreams === 0) {
          const { rate, serverMicrosPerJob } = await work()
          return { rate, server: serverMicrosPerJob }
        }
        const { url, token } = server
        const input = { address: { url, token }, workflowIds: idleIds, busyId: template.workflowId, busyStreams }
        const [done, heard] = await besideStreams(setting, input, work)
        // The last events may still be on their way when the last request is answered.
        if (heard.events === 0) throw new WrongResult('No event came through the streams')
        return { rate: done.rate, server: done.serverMicrosPerJob }
      })
    },
  }
}
