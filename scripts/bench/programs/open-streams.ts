import { Pool } from 'undici'
import type { Address } from '../server.ts'
import { answer } from './answer.ts'

export type Streams = { address: Address; workflowIds: number[]; busyId: number; busyStreams: number }
export type Heard = { events: number }

/** Opens a stream on each idle workflow and some on the busy one, says that they are open, and reads until it is told to end. */
async function openStreams({ address, workflowIds, busyId, busyStreams }: Streams): Promise<Heard> {
  const ids = [...workflowIds, ...Array<number>(busyStreams).fill(busyId)]
  const pool = new Pool(address.url, { connections: ids.length, bodyTimeout: 0 })
  const headers = { authorization: `Bearer ${address.token}` }
  let events = 0
  const readers = ids.map(async id => {
    const path = `/v1/workflows/${id}/events/stream`
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers })
    if (statusCode !== 200) throw new Error(`${path}: ${statusCode}`)
    body.on('data', (chunk: Buffer) => {
      // Counted by a byte search: the reader shares the cores with what is measured.
      for (let at = chunk.indexOf('\nid: '); at >= 0; at = chunk.indexOf('\nid: ', at + 5)) events++
    })
    body.on('error', () => undefined)
  })
  await Promise.all(readers)
  process.stderr.write('open\n')
  await new Promise(resolve => process.once('SIGTERM', resolve))
  await pool.destroy()
  return { events }
}

await answer(openStreams)
