import { Pool } from 'undici'
import { answer } from './answer.ts'

export type RequestRate = {
  url: string
  path: string
  token: string | undefined
  requests: number
  connections: number
}
export type RatePerSecond = { rate: number }

/** Sends the same request again and again over some connections, one at a time on each. Throws unless every reply is a 200. */
async function measureRequests({ url, path, token, requests, connections }: RequestRate): Promise<RatePerSecond> {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  let left = requests
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const { statusCode, body } = await pool.request({ method: 'GET', path, headers })
      await body.dump()
      if (statusCode !== 200) throw new Error(`${path}: ${statusCode}`)
    }
  }
  const beganAt = performance.now()
  await Promise.all(Array.from({ length: connections }, work))
  const seconds = (performance.now() - beganAt) / 1_000
  await pool.close()
  return { rate: requests / seconds }
}

await answer(measureRequests)
