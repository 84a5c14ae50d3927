import { expect, test } from 'vitest'
import { elementOptions } from '../../runner/pipe/element-options.ts'
import type { FrozenSpec, PipeRun } from '../../runner/pipe/wire.ts'

const ADDRESS = { baseUrl: 'http://login1:8080/v1' }

function runWith(spec: Partial<FrozenSpec>): PipeRun {
  const frozen = {
    slots: 2,
    cwd: '/data',
    output_dir: '/data/out',
    durability: 'power',
    idle_exit_seconds: 90,
    ...spec,
  }
  const key = { num_cpus: 4, memory: 1024, num_gpus: 1, labels: 'gpu,ssd', scheduler_id: null }
  // Only the fields that are read.
  return { workflow_id: 5, walltime_seconds: 3600, key, spec: frozen } as unknown as PipeRun
}

test('elementOptions() takes what was frozen with the run', () => {
  expect(elementOptions(runWith({ lease_seconds: 30 }), ADDRESS)).toMatchObject({
    target: { kind: 'workflow', id: 5 },
    outputDir: '/data/out',
    durability: 'power',
    capacity: { cpus: 8, memoryBytes: 2048, gpus: 2, overcommit: true },
    idleExitSeconds: 90,
    leaseSeconds: 30,
    labels: ['gpu', 'ssd'],
  })
})

test('elementOptions() has the usual lease for a run that was staged without one', () => {
  expect(elementOptions(runWith({}), ADDRESS).leaseSeconds).toBe(120)
})
