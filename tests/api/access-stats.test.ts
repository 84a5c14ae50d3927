import { expect, it } from 'vitest'
import { createRequestStats } from '../../api/request-stats.ts'

const request = (status: number, bytesIn = 10, bytesOut = 100) => ({ status, bytesIn, bytesOut })

it('createRequestStats() sums by interval, the newest first, with zeros where nothing came', () => {
  const clock = { now: 600_000 }
  const stats = createRequestStats(() => clock.now)
  for (const status of [200, 202, 404, 503, 304]) stats.count(request(status))
  clock.now = 725_000
  stats.count(request(401, 1, 2))
  const empty = {
    request_count: 0,
    bytes_in: 0,
    bytes_out: 0,
    status_2xx: 0,
    status_4xx: 0,
    status_5xx: 0,
    status_other: 0,
  }
  expect(stats.buckets(180, 60)).toEqual([
    { ...empty, start_ms: 720_000, request_count: 1, bytes_in: 1, bytes_out: 2, status_4xx: 1 },
    { ...empty, start_ms: 660_000 },
    {
      start_ms: 600_000,
      request_count: 5,
      bytes_in: 50,
      bytes_out: 500,
      status_2xx: 2,
      status_4xx: 1,
      status_5xx: 1,
      status_other: 1,
    },
  ])
  expect(stats.buckets(60, 60)).toHaveLength(1)
  expect(stats.buckets(90, 60)).toHaveLength(2)
})

it('createRequestStats() forgets what is older than an hour', () => {
  const clock = { now: 0 }
  const stats = createRequestStats(() => clock.now)
  stats.count(request(200))
  clock.now = 3_600_000
  stats.count(request(200))
  const total = stats.buckets(7_200, 3_600).reduce((n, bucket) => n + bucket.request_count, 0)
  expect(total).toBe(1)
})
