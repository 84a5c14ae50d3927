import { describe, expect, test } from 'vitest'
import { changedFiles, concernedJobs, type KnownFile } from '../../../runner/recovery/input-changes.ts'

const file = (id: number, st_mtime?: number): KnownFile => ({ id, name: `f${id}`, path: `p${id}`, st_mtime })
const disk = (times: Record<string, number>) => (path: string) => times[path]

describe('changedFiles()', () => {
  test('finds files that changed, are new, or are gone, and no others', () => {
    const files = [file(1, 100), file(2), file(3, 100), file(4, 100), file(5)]
    const changes = changedFiles(files, disk({ p1: 200, p2: 50, p4: 100.005 }))
    expect(changes.map(({ file: { id }, how }) => [id, how])).toEqual([
      [1, 'changed'],
      [2, 'new'],
      [3, 'gone'],
    ])
  })
})

describe('concernedJobs()', () => {
  const [changed, gone] = changedFiles([file(1, 1), file(2, 1)], disk({ p1: 9 }))

  test('names readers of a changed file, and makers and readers of one that is gone', () => {
    const links = [
      { file_id: 1, producer_job_id: 10, consumer_job_id: 11 },
      { file_id: 2, producer_job_id: 20, consumer_job_id: 21 },
    ]
    expect(concernedJobs([changed!, gone!], links, () => true)).toEqual([
      { jobId: 11, why: 'its input p1 is changed' },
      { jobId: 20, why: 'its output p2 is gone' },
      { jobId: 21, why: 'its input p2 is gone' },
    ])
  })

  test('leaves out jobs that have not ended, and names each job once', () => {
    const links = [
      { file_id: 1, consumer_job_id: 11 },
      { file_id: 2, consumer_job_id: 11 },
      { file_id: 1, consumer_job_id: 12 },
    ]
    expect(concernedJobs([changed!, gone!], links, jobId => jobId !== 12)).toEqual([
      { jobId: 11, why: 'its input p1 is changed' },
    ])
  })
})
