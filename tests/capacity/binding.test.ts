import { expect, test } from 'vitest'
import { createBinding } from '../../runner/capacity/binding.ts'
import type { System } from '../../runner/capacity/system.ts'

const system: System = {
  read: path => (path === '/proc/self/status' ? 'Cpus_allowed_list:\t0-3\n' : undefined),
  list: () => [],
  env: {},
  listNvidiaGpus: () => undefined,
  fallback: { cpus: 4, memoryBytes: 1 },
}
const granted = (...cores: number[]) => ({ cores, gpus: [], memoryBytes: 0 })

test('createBinding() keeps a job to the cores of its grant', () => {
  expect(createBinding('core', () => system)(granted(1, 3))).toEqual([1, 3])
})

test('createBinding() binds to no core that was made up, nor where jobs share all', () => {
  const coresOf = createBinding('core', () => system)
  expect(coresOf(granted(3, 4))).toBeUndefined()
  expect(coresOf(granted())).toBeUndefined()
})

test('createBinding() of none looks at nothing', () => {
  expect(createBinding('none', () => expect.unreachable('it looked'))(granted(1))).toBeUndefined()
})
