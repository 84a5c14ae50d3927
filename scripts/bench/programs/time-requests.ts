import type { Address } from '../server.ts'
import { quantile } from '../statistics.ts'
import { answer } from './answer.ts'
import { openApi } from './api.ts'

export type Requests = {
  address: Address
  /** `{after}` in a path stands for one of `after` in turn. `items`: how many a page must have. */
  paths: { name: string; path: string; items?: number }[]
  after: number[]
  repeats: number
}
/** By name: the time within which 95 of 100 replies came, in milliseconds. */
export type Timed = Record<string, number>

/** Asks for each path again and again, one request at a time, and says how long the slow ones took. */
async function timeRequests({ address, paths, after, repeats }: Requests): Promise<Timed> {
  const api = openApi(address, 1)
  const timed: Timed = {}
  for (const { name, path, items } of paths) {
    const times: number[] = []
    for (let k = 0; k < repeats; k++) {
      const url = path.replace('{after}', String(after[k % after.length]!))
      const beganAt = performance.now()
      const reply = await api.send<{ items?: unknown[] }>('GET', url)
      times.push(performance.now() - beganAt)
      if (items !== undefined && reply.items?.length !== items)
        throw new Error(`${url} has ${reply.items?.length} items, not ${items}`)
    }
    timed[name] = quantile(
      times.sort((a, b) => a - b),
      0.95,
    )
  }
  await api.close()
  return timed
}

await answer(timeRequests)
