import { one, run, type Unit } from './unit.ts'

/** Gives the random name this database was born with. It stays with the file, so clients notice when another one answers. */
export function* findEpoch(): Unit<string> {
  const row = yield* one<{ epoch: string }>('SELECT epoch FROM identity')
  if (row === undefined) throw new Error('Cannot find the identity of the database as its row is missing')
  return row.epoch
}

/** Gives the database another name, as after a restore: runners then offer again what only the lost one had acknowledged. */
export function* renewEpoch(): Unit<void> {
  yield* run('UPDATE identity SET epoch = lower(hex(randomblob(16)))')
}
