import { describe, expect, test } from 'vitest'
import { corrections, type UsedResult, usageOf } from '../../../runner/recovery/usage.ts'

const GIB = 2 ** 30
const SET = { id: 1, name: 'small', num_cpus: 1, num_gpus: 0, num_nodes: 1, memory: '2g', runtime: 'PT10M' }
const result = (fields: Partial<UsedResult> = {}): UsedResult => ({ job_id: 7, exec_time_minutes: 6, ...fields })
const measure = (...results: UsedResult[]) =>
  usageOf(
    results,
    new Map([
      [7, 1],
      [8, 1],
    ]),
    [SET],
  )[0]!

describe('usageOf()', () => {
  test('takes the most of every attempt', () => {
    const usage = measure(
      result({ peak_memory_bytes: 1.5 * GIB, user_seconds: 300, system_seconds: 60 }),
      result({ job_id: 8, exec_time_minutes: 9, peak_memory_bytes: 1.9 * GIB }),
    )
    expect(usage).toMatchObject({
      jobs: 2,
      busiest_cpus: 1,
      peak_memory_bytes: 1.9 * GIB,
      longest_seconds: 540,
      findings: [],
    })
  })

  test('finds what went over, and what is spare', () => {
    expect(
      measure(result({ peak_memory_bytes: 3 * GIB, exec_time_minutes: 11, user_seconds: 2_000 })).findings,
    ).toEqual(['over_memory', 'over_runtime', 'over_cpus'])
    expect(measure(result({ peak_memory_bytes: 0.5 * GIB, exec_time_minutes: 1 })).findings).toEqual([
      'spare_memory',
      'spare_runtime',
    ])
  })

  test('takes the CPUs of samples where there are some: the average hides what a job does for a while', () => {
    const sampled = measure(result({ user_seconds: 300, peak_cpu_percent: 350 }))
    expect(sampled).toMatchObject({ busiest_cpus: 3.5, findings: ['over_cpus'] })
  })

  test('finds that a job which ran out of memory wanted more, though it never had it', () => {
    expect(measure(result({ peak_memory_bytes: 2 * GIB, failure_class: 'oom' })).findings).toEqual(['over_memory'])
  })

  test('holds nobody to the memory of the default set', () => {
    const [usage] = usageOf([result({ peak_memory_bytes: GIB })], new Map([[7, 1]]), [
      { ...SET, name: 'default', memory: '1m' },
    ])
    expect(usage!.findings).toEqual([])
  })

  test('says nothing of memory that nobody measured, nor of sets without results', () => {
    expect(measure(result()).peak_memory_bytes).toBeUndefined()
    expect(measure(result()).findings).toEqual([])
    expect(usageOf([], new Map(), [SET])).toEqual([])
  })
})

describe('corrections()', () => {
  const wish = { memoryMultiplier: 1.2, runtimeMultiplier: 1.5, downsize: false }

  test('raises what was exceeded and leaves the rest', () => {
    expect(corrections([measure(result({ peak_memory_bytes: 2.5 * GIB }))], wish)).toEqual([
      { resource_requirements_id: 1, name: 'small', memory: { from: '2g', to: '3g' } },
    ])
  })

  test('gives a job that ran out of memory more than it had', () => {
    const usages = [measure(result({ peak_memory_bytes: 1.9 * GIB, failure_class: 'oom' }))]
    expect(corrections(usages, wish)[0]!.memory).toEqual({ from: '2g', to: '2458m' })
  })

  test('lowers only when asked to', () => {
    const usages = [measure(result({ peak_memory_bytes: 0.5 * GIB, exec_time_minutes: 2 }))]
    expect(corrections(usages, wish)).toEqual([])
    expect(corrections(usages, { ...wish, downsize: true })).toEqual([
      {
        resource_requirements_id: 1,
        name: 'small',
        memory: { from: '2g', to: '615m' },
        runtime: { from: 'PT10M', to: 'PT3M' },
      },
    ])
  })
})
