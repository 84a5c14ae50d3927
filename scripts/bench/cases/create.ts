import { join } from 'node:path'
import { expectSame, readCounts } from '../counts.ts'
import { createBy } from '../create-by.ts'
import { withServer } from '../server.ts'
import type { Case, Contender, Line, Setting } from '../types.ts'
import { triadJobs, triadSpec } from '../workloads/specs.ts'

const TRIADS = { full: 33_333, quick: 100 }
const ROUTES = ['from_spec', 'from_expansion'] as const

export const create: Case = {
  name: 'create',
  about: 'create and initialise 100,000 jobs with 100,000 edges by one request to a server',
  async prepare(setting) {
    const triads = setting.quick ? TRIADS.quick : TRIADS.full
    return {
      contenders: ROUTES.map(route => contenderOf(setting, route, triads)),
      lines: ROUTES.flatMap((contender): Line[] => [
        { contender, figure: 'request', unit: 's', target: { most: 5 } },
        { contender, figure: 'peak of server', unit: 'MB', target: { most: 1_000 } },
      ]),
    }
  },
}

function contenderOf(setting: Setting, route: (typeof ROUTES)[number], triads: number): Contender {
  return {
    name: route,
    async run(directory) {
      const dbPath = join(directory, 'create.db')
      const { created, peak } = await withServer(setting, directory, dbPath, async server => {
        const created = await createBy(setting, server, route, triadSpec(triads))
        return { created, peak: server.peakMemoryMb() }
      })
      const jobs = triadJobs(triads)
      expectSame(`counts after ${route}`, created, { total: jobs, ready: triads })
      expectSame('counts in the database', readCounts(dbPath), { others: jobs, edges: jobs })
      return { request: created.seconds, 'peak of server': peak }
    },
  }
}
