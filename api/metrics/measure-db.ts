import type { Db } from '../../db/unit.ts'
import { createHistogram, type Histogram } from './histogram.ts'

export type MeasuredDb = Db & {
  /** Writes that have been asked for and are not answered. */
  readonly waitingWrites: number
  /** How many were answered in the last second that went by in full. */
  writesPerSecond(): number
  /** Seconds from question to answer, waiting included. */
  readonly reads: Histogram
  readonly writes: Histogram
}

/** Counts and times what goes through a database. One that is measured stays as it is. */
export function measureDb(db: Db | MeasuredDb, now: () => number = () => performance.now()): MeasuredDb {
  if ('waitingWrites' in db) return db
  const reads = createHistogram()
  const writes = createHistogram()
  let waitingWrites = 0
  let second = { began: now(), answered: 0 }
  let lastRate = 0

  function turnSecond(): void {
    const passed = now() - second.began
    if (passed < 1_000) return
    lastRate = second.answered / (passed / 1_000)
    second = { began: now(), answered: 0 }
  }

  return {
    reads,
    writes,
    get waitingWrites() {
      return waitingWrites
    },
    get writeTransactions() {
      return db.writeTransactions
    },
    writesPerSecond() {
      turnSecond()
      return lastRate
    },
    read(unit) {
      const began = now()
      const answer = db.read(unit)
      const done = () => reads.observe((now() - began) / 1_000)
      answer.then(done, done)
      return answer
    },
    write(unit, joint) {
      const began = now()
      waitingWrites++
      const answer = db.write(unit, joint)
      const done = () => {
        waitingWrites--
        turnSecond()
        second.answered++
        writes.observe((now() - began) / 1_000)
      }
      answer.then(done, done)
      return answer
    },
    close: () => db.close(),
  }
}
