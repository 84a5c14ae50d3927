import { join } from 'node:path'
import { expectAllCompleted } from '../counts.ts'
import { hasNativeLauncher } from '../headrace.ts'
import { runHelper } from '../helper.ts'
import type { GuardedEnd, GuardedRun } from '../programs/run-guarded.ts'
import { withServer } from '../server.ts'
import { copyDatabase, makeTemplate, type Template } from '../template.ts'
import { type Case, type Contender, type Setting, WrongResult } from '../types.ts'
import { checkPipelineOutputs, loadPipeline, type Pipeline } from '../workloads/pipeline.ts'

const CHAINS = { full: 1_000, quick: 10 }
const ON = 'guards on'
const OFF = 'guards off'

export const guards: Case = {
  name: 'guards',
  about: 'leases, heartbeats and the outbox: the pipeline against a server with all of them and with none, two at once',
  async prepare(setting) {
    if (!hasNativeLauncher(setting))
      return { contenders: [], lines: [], notes: ['no rows: the native launcher could not be built'] }
    const work = await loadPipeline(setting.root, setting.quick ? CHAINS.quick : CHAINS.full)
    const template = await makeTemplate(setting, work.text)
    return {
      contenders: [contenderOf(setting, work, template, ON), contenderOf(setting, work, template, OFF)],
      lines: [
        { contender: OFF, figure: 'wall', unit: 's' },
        { contender: ON, figure: 'wall', unit: 's', against: { contender: OFF, target: { most: 1.05 } } },
      ],
    }
  },
}

function contenderOf(setting: Setting, work: Pipeline, template: Template, name: string): Contender {
  return {
    name,
    async run(directory) {
      const dbPath = join(directory, 'guards.db')
      copyDatabase(template.dbPath, dbPath)
      const { seconds, end } = await withServer(setting, directory, dbPath, ({ url, token }) =>
        runHelper<GuardedRun, GuardedEnd>(setting, 'run-guarded', {
          address: { url, token },
          workflowId: template.workflowId,
          directory,
          launcher: join(setting.bundle, 'dist/headrace-launcher'),
          isGuarded: name === ON,
        }),
      )
      if (end !== 'complete') throw new WrongResult(`The run ended as ${end} and must be complete`)
      checkPipelineOutputs(directory, work)
      expectAllCompleted(dbPath, work.jobs.length, work.jobs.length)
      return { wall: seconds }
    },
  }
}
