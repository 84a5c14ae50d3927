import { describe, expect, test } from 'vitest'
import { selectJobs } from '../../runner/slurm/job-selection.ts'

const run = (count: number, of = 'run') => Array.from({ length: count }, (_, index) => `${of}_${index}`)

describe('selectJobs()', () => {
  test('lists few jobs by name', () => {
    expect(selectJobs(['a', 'b'], ['a', 'b', 'c'], ['{x}'])).toEqual({ jobs: ['a', 'b'], job_name_regexes: [] })
  })

  test('says many by the pattern of their template, and names the rest', () => {
    const wanted = [...run(30), 'last.one']
    expect(selectJobs(wanted, [...wanted, 'other'], ['run_{i}', 'last.one', 'other'])).toEqual({
      jobs: ['last.one'],
      job_name_regexes: ['^run_.+$'],
    })
  })

  test('never takes a pattern that hits a job that is not meant', () => {
    const wanted = run(30)
    expect(selectJobs(wanted, [...wanted, 'run_30'], ['run_{i}']).jobs).toEqual(wanted)
  })

  test('reads the letters of a template as they are', () => {
    const wanted = run(30, 'a.b[c]')
    expect(selectJobs(wanted, [...wanted, 'aXb[c]_1'], ['a.b[c]_{i:03d}'])).toEqual({
      jobs: [],
      job_name_regexes: ['^a\\.b\\[c\\]_.+$'],
    })
  })
})
