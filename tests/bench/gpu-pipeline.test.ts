import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadSpec } from '../../api/spec/load.ts'
import { checkGpus, withMiddleStageOn } from '../../scripts/bench/workloads/gpu-pipeline.ts'
import { loadPipeline, type Pipeline } from '../../scripts/bench/workloads/pipeline.ts'
import { makeDirectory } from '../launcher/harness.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const load = async (text: string) =>
  (await loadSpec(text, { fileName: 'x.yaml', readText: () => undefined, mtime: () => undefined })).workflow!

test('withMiddleStageOn() gives the middle stage alone a GPU, and else changes nothing', async () => {
  const pipeline = await loadPipeline(ROOT, 2)
  const [onGpus, plain] = await Promise.all([1, 0].map(gpus => load(withMiddleStageOn(pipeline, gpus as 0 | 1))))
  const gpusOf = (workflow: typeof onGpus): Record<string, number> =>
    Object.fromEntries(
      workflow!.jobs.map(job => [job.name, workflow!.resourceRequirements[job.resourceRequirements!]!.numGpus]),
    )
  expect(gpusOf(onGpus)).toEqual({ ...gpusOf(plain), work_0000: 1, work_0001: 1 })
  expect(Object.values(gpusOf(plain)).every(gpus => gpus === 0)).toBe(true)
  expect(onGpus!.jobs.map(job => job.command)).toEqual(plain!.jobs.map(job => job.command))
})

test.each([
  ['+ 0\n+ 1\n- 1\n- 0\n', undefined],
  ['+ 0\n+ 0\n- 0\n- 0\n', 'Two jobs saw GPU 0 at one moment'],
  ['+ 0\n- 0\n+ \n- \n', 'A job of the middle stage saw these GPUs: '],
  ['+ 0,1\n- 0,1\n+ 0\n- 0\n', 'A job of the middle stage saw these GPUs: 0,1'],
  ['+ 0\n- 0\n', 'gpus.log has 2 lines and must have 4'],
])('checkGpus() of %j says %s', (log, complaint) => {
  const directory = makeDirectory()
  writeFileSync(join(directory, 'gpus.log'), log)
  const pipeline: Pipeline = { text: '', chains: 2, jobs: [] }
  const check = () => checkGpus(directory, pipeline)
  if (complaint === undefined) check()
  else expect(check).toThrow(complaint)
})
