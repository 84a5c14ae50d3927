/** What one answered request has cost on the wire. */
export type CountedRequest = { status: number; bytesIn: number; bytesOut: number }

export type StatsBucket = {
  start_ms: number
  request_count: number
  bytes_in: number
  bytes_out: number
  status_2xx: number
  status_4xx: number
  status_5xx: number
  status_other: number
}

export type RequestStats = {
  count(request: CountedRequest): void
  /** Sums over intervals, the newest first, as many as the window holds; an interval without requests is there with zeros. */
  buckets(windowSeconds: number, intervalSeconds: number): StatsBucket[]
}

/** How far back the counts go (contract/notes.md 19.12). */
export const KEPT_SECONDS = 3_600

const emptyBucket = (startSeconds: number): StatsBucket => ({
  start_ms: startSeconds * 1000,
  request_count: 0,
  bytes_in: 0,
  bytes_out: 0,
  status_2xx: 0,
  status_4xx: 0,
  status_5xx: 0,
  status_other: 0,
})

function classOf(status: number): 'status_2xx' | 'status_4xx' | 'status_5xx' | 'status_other' {
  switch (Math.floor(status / 100)) {
    case 2:
      return 'status_2xx'
    case 4:
      return 'status_4xx'
    case 5:
      return 'status_5xx'
    default:
      return 'status_other'
  }
}

/** Counts requests by the second, in memory, for the last hour. `clock` gives epoch milliseconds. */
export function createRequestStats(clock: () => number): RequestStats {
  const seconds = new Map<number, StatsBucket>()
  const nowSeconds = () => Math.floor(clock() / 1000)

  function currentSecond(): StatsBucket {
    const now = nowSeconds()
    let found = seconds.get(now)
    if (found === undefined) {
      found = emptyBucket(now)
      seconds.set(now, found)
      // The oldest stand first.
      for (const second of seconds.keys()) {
        if (second > now - KEPT_SECONDS) break
        seconds.delete(second)
      }
    }
    return found
  }

  return {
    count({ status, bytesIn, bytesOut }) {
      const bucket = currentSecond()
      bucket.request_count++
      bucket.bytes_in += bytesIn
      bucket.bytes_out += bytesOut
      bucket[classOf(status)]++
    },
    buckets(windowSeconds, intervalSeconds) {
      const newest = Math.floor(nowSeconds() / intervalSeconds)
      const sums = Array.from({ length: Math.ceil(windowSeconds / intervalSeconds) }, (_, back) =>
        emptyBucket((newest - back) * intervalSeconds),
      )
      for (const [second, counted] of seconds) {
        const sum = sums[newest - Math.floor(second / intervalSeconds)]
        if (sum !== undefined) addTo(sum, counted)
      }
      return sums
    },
  }
}

function addTo(sum: StatsBucket, counted: StatsBucket): void {
  sum.request_count += counted.request_count
  sum.bytes_in += counted.bytes_in
  sum.bytes_out += counted.bytes_out
  sum.status_2xx += counted.status_2xx
  sum.status_4xx += counted.status_4xx
  sum.status_5xx += counted.status_5xx
  sum.status_other += counted.status_other
}
