import { expect, test } from 'vitest'
import { describeKernelKill } from '../../runner/failure/memory-guard.ts'
import { memoryLimitOf } from '../../runner/failure/memory-limit.ts'

const GIB = 2 ** 30
const asking = (memory_bytes: number) => ({
  resource_requirements: { num_cpus: 1, num_gpus: 0, runtime_seconds: 60, memory_bytes },
})
const TERMS = { limitResources: true, bySlots: false }

test('memoryLimitOf() is what the job asked for', () => {
  expect(memoryLimitOf(asking(2 * GIB), TERMS)).toBe(2 * GIB)
})

test.each([
  ['limit_resources is false', 2 * GIB, { ...TERMS, limitResources: false }],
  ['requirements are ignored', 2 * GIB, { ...TERMS, bySlots: true }],
  ['it asked for nothing and has the default set', 2 ** 20, TERMS],
])('memoryLimitOf() is none where %s', (_, bytes, terms) => {
  expect(memoryLimitOf(asking(bytes), terms)).toBeUndefined()
})

test('describeKernelKill() says what was used and asked, of a kill by the kernel alone', () => {
  const job = { id: 7, name: 'big', ...asking(2 * GIB) }
  expect(describeKernelKill(job, { peakMemoryBytes: 1.5 * GIB }, 'oom')).toBe(
    'Job big (7) was killed by the kernel for want of memory: 1536 MiB used, 2048 MiB asked',
  )
  expect(describeKernelKill(job, {}, 'oom')).toContain('unknown how much used, 2048 MiB asked')
  expect(describeKernelKill(job, { overMemoryBytes: 3 * GIB }, 'oom')).toBeUndefined()
  expect(describeKernelKill(job, {}, 'exit_code')).toBeUndefined()
})
