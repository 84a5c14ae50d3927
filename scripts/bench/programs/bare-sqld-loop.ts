import { STATUS } from '../../../api/core/status.ts'
import { sendStatements } from '../../../db/hrana.ts'
import type { Rows, Statement } from '../../../db/unit.ts'
import { readCountsAt } from '../counts.ts'
import { WrongResult } from '../types.ts'
import { answer } from './answer.ts'

export type BareSqldLoop = { databaseUrl: string; batch: number; passes: number }
export type BareRows = { rows: number; seconds: number }

const TIMEOUT_MS = 30_000

const OPEN = `UPDATE job SET status = ${STATUS.ready}`
const CLAIM = `UPDATE job SET status = ${STATUS.running}
  WHERE id IN (SELECT id FROM job WHERE status = ${STATUS.ready} ORDER BY id LIMIT ?) RETURNING id`
const COMPLETE = `UPDATE job SET status = ${STATUS.completed} WHERE id IN (SELECT value FROM json_each(?))`

/**
 * What a database server alone can do with the same job table: one request and one transaction complete a batch and claim the next.
 * Nothing else is written, and nobody else asks.
 */
async function bareSqldLoop({ databaseUrl, batch, passes }: BareSqldLoop): Promise<BareRows> {
  let rows = 0
  let seconds = 0
  for (let pass = 0; pass < passes; pass++) {
    await send(databaseUrl, [{ sql: OPEN, args: [] }])
    const beganAt = performance.now()
    let held: number[] = []
    do {
      const [, , claimed] = await send(databaseUrl, [
        { sql: 'BEGIN IMMEDIATE', args: [] },
        { sql: COMPLETE, args: [JSON.stringify(held)] },
        { sql: CLAIM, args: [batch] },
        { sql: 'COMMIT', args: [] },
      ])
      rows += held.length + claimed!.length
      held = claimed!.map(({ id }) => id)
    } while (held.length > 0)
    seconds += (performance.now() - beganAt) / 1000
  }
  const { others } = await readCountsAt(databaseUrl)
  if (others > 0) throw new WrongResult(`The bare loop left ${others} jobs uncompleted`)
  return { rows, seconds }
}

async function send(url: string, statements: readonly Statement[]): Promise<Rows[]> {
  const { rows, failed } = await sendStatements({ url, timeoutMs: TIMEOUT_MS }, undefined, statements, true)
  if (failed !== undefined) throw failed
  return rows
}

await answer(bareSqldLoop)
