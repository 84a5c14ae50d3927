import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectAllCompleted } from '../counts.ts'
import { databaseIn, startRun } from '../headrace.ts'
import { succeeded } from '../process.ts'
import type { Case, Contender, Setting } from '../types.ts'
import { checkGpus, withMiddleStageOn } from '../workloads/gpu-pipeline.ts'
import { checkPipelineOutputs, loadPipeline, type Pipeline } from '../workloads/pipeline.ts'

const CHAINS = { full: 1_000, quick: 10 }

export const gpuPipeline: Case = {
  name: 'gpu-pipeline',
  about: '1,000 chains of three jobs whose middle one needs a GPU, of which two are made up, two jobs at once',
  async prepare(setting) {
    const work = await loadPipeline(setting.root, setting.quick ? CHAINS.quick : CHAINS.full)
    const plain = contender(setting, 'without', work, 0)
    const onGpus = contender(setting, 'one GPU each', work, 1)
    return {
      contenders: [onGpus, plain],
      lines: [
        {
          contender: onGpus.name,
          figure: 'wall',
          unit: 's',
          against: { contender: plain.name, target: { most: 1.1 } },
        },
        { contender: plain.name, figure: 'wall', unit: 's' },
      ],
    }
  },
}

function contender(setting: Setting, name: string, work: Pipeline, gpus: 0 | 1): Contender {
  const text = withMiddleStageOn(work, gpus)
  return {
    name,
    async run(directory) {
      writeFileSync(join(directory, 'pipeline.yaml'), text)
      const running = startRun(setting, directory, 'pipeline.yaml', { words: ['--num-gpus', '2'] })
      const { wallSeconds } = succeeded('runner run', await running.ended)
      checkPipelineOutputs(directory, work)
      expectAllCompleted(databaseIn(directory), work.jobs.length, work.jobs.length)
      if (gpus > 0) checkGpus(directory, work)
      return { wall: wallSeconds }
    },
  }
}
