import { expect, test } from 'vitest'
import type { PlanConfig } from '../../runner/allocate/config.ts'
import { requestFor } from '../../runner/allocate/request.ts'
import { configOf } from './given.ts'

const commandOf = (config: Partial<PlanConfig>): string => {
  const wanted = {
    jobs: 1,
    wasteSeconds: 0,
    queues: [''] as const,
    nodes: 1,
    width: 1,
    walltimeSeconds: 3600,
    offer: { cpus: 1, memoryBytes: 0, gpus: 0 },
  }
  return requestFor('hr-1', '', wanted, configOf(config), 7, undefined).command
}

test('requestFor() starts runners with the lease of the plan, and with the usual one where it has none', () => {
  expect(commandOf({ lease_seconds: 30 })).toContain(' --lease 30s')
  expect(commandOf({})).not.toContain('--lease')
})
