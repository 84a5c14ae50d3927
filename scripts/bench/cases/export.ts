import { join } from 'node:path'
import { expectSame } from '../counts.ts'
import { runHelper } from '../helper.ts'
import type { Transfer, Transferred } from '../programs/export-and-import.ts'
import { withServer } from '../server.ts'
import { copyDatabase, makeTemplate } from '../template.ts'
import type { Case } from '../types.ts'
import { triadJobs, triadSpec } from '../workloads/specs.ts'

const TRIADS = { full: 33_333, quick: 100 }

export const exportCase: Case = {
  name: 'export',
  about: 'export a workflow of 100,000 jobs with 100,000 edges as one document, and import it again as it comes',
  async prepare(setting) {
    const triads = setting.quick ? TRIADS.quick : TRIADS.full
    // Made by another server: what creating takes does not count here.
    const template = await makeTemplate(setting, triadSpec(triads))
    const contender = 'export and import'
    return {
      contenders: [
        {
          name: contender,
          async run(directory) {
            const dbPath = join(directory, 'export.db')
            copyDatabase(template.dbPath, dbPath)
            return withServer(setting, directory, dbPath, async server => {
              const { url, token } = server
              const input = { address: { url, token }, workflowId: template.workflowId }
              const done = await runHelper<Transfer, Transferred>(setting, 'export-and-import', input)
              expectSame('exported jobs', { jobs: done.jobs }, { jobs: triadJobs(triads) })
              return {
                export: done.exportSeconds,
                import: done.importSeconds,
                document: done.megabytes,
                'peak of server': server.peakMemoryMb(),
              }
            })
          },
        },
      ],
      lines: [
        { contender, figure: 'export', unit: 's' },
        { contender, figure: 'import', unit: 's' },
        { contender, figure: 'document', unit: 'MB' },
        { contender, figure: 'peak of server', unit: 'MB', target: { most: 300 } },
      ],
    }
  },
}
