import { expect, test } from 'vitest'
import { listFailedJobs } from '../../../runner/recovery/failed-jobs.ts'
import { createFakeClient } from '../../runner/fake-client.ts'

/** More than fit the arguments of one call. */
const MANY = 130_000

const pageOf = (items: readonly object[]) => ({ items, has_more: false, count: items.length })

test('listFailedJobs() lists any number of failures, each with its latest result', async () => {
  const ids = Array.from({ length: MANY }, (_, n) => n + 1)
  const { client } = createFakeClient((_, path) => {
    if (!path.includes('status=failed')) return pageOf([])
    if (path.startsWith('/jobs?')) return pageOf(ids.map(id => ({ id, name: `j${id}`, resource_requirements_id: 1 })))
    // The newest first: the latest is told by its id.
    return pageOf(
      ids.flatMap(job_id => [
        { id: job_id + MANY, job_id, return_code: 3, exec_time_minutes: 1 },
        { id: job_id, job_id, return_code: 1, exec_time_minutes: 1 },
      ]),
    )
  })
  const jobs = await listFailedJobs({ client, where: 'here', close: () => client.close() }, 1)
  expect(jobs).toHaveLength(MANY)
  expect(jobs.at(-1)).toMatchObject({ id: MANY, failures: 2, returnCode: 3, seconds: 60 })
})
