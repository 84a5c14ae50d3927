import { all, run, type Unit } from './unit.ts'

/** Reserves `count` ids of a table and returns the first one. Ids are never given twice, also not after deletes. */
export function* reserveIds(table: string, count: number): Unit<number> {
  yield* run(
    'INSERT INTO sqlite_sequence(name, seq) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)',
    table,
  )
  const [row] = yield* all<{ seq: number }>(
    'UPDATE sqlite_sequence SET seq = seq + ? WHERE name = ? RETURNING seq',
    count,
    table,
  )
  return row!.seq - count + 1
}
