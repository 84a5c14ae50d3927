import { describe, expect, test } from 'vitest'
import { type PlannedJob, stagesOf } from '../../runner/plan/stages.ts'

const job = (id: number, fields: Partial<PlannedJob> = {}): PlannedJob => ({
  id,
  name: `j${id}`,
  resource_requirements_id: 1,
  ...fields,
})

const shape = (jobs: PlannedJob[]) => stagesOf(jobs)?.map(({ parts }) => parts.flatMap(part => part.names))

describe('stagesOf()', () => {
  test('puts a job after all it waits for: jobs, files and user data', () => {
    const jobs = [
      job(1, { output_file_ids: [5] }),
      job(2, { input_file_ids: [5], output_user_data_ids: [6] }),
      job(3, { input_user_data_ids: [6] }),
      job(4, { depends_on_job_ids: [1] }),
      job(5),
    ]
    expect(shape(jobs)).toEqual([['j1', 'j5'], ['j2', 'j4'], ['j3']])
  })

  test('counts jobs that require the same together, and names a few', () => {
    const jobs = [1, 2, 3, 4, 5].map(id => job(id)).concat(job(6, { resource_requirements_id: 2 }))
    expect(stagesOf(jobs)).toEqual([
      {
        stage: 1,
        jobs: 6,
        parts: [
          { requirements_id: 1, jobs: 5, names: ['j1', 'j2', 'j3'] },
          { requirements_id: 2, jobs: 1, names: ['j6'] },
        ],
      },
    ])
  })

  test('a job that reads its own output waits for nobody; a circle has no stages', () => {
    expect(shape([job(1, { input_file_ids: [5], output_file_ids: [5] })])).toEqual([['j1']])
    expect(stagesOf([job(1, { depends_on_job_ids: [2] }), job(2, { depends_on_job_ids: [1] })])).toBeUndefined()
  })

  test('takes a hundred thousand jobs in a chain', () => {
    const jobs = Array.from({ length: 100_000 }, (_, k) => job(k + 1, { depends_on_job_ids: k === 0 ? [] : [k] }))
    expect(stagesOf(jobs)).toHaveLength(100_000)
  })
})
