import { createApp } from '../../api/app.ts'
import type { Db, Rows, Statement, Unit } from '../../db/unit.ts'
import type { Reply, TestApp } from './app.ts'

/** Stands between the app and its database: sees every statement go and its rows come. */
export type Watcher = {
  /** Called before a statement runs, and after; what it throws ends the unit there, as a failing database does. */
  before?(statement: Statement): void
  after?(statement: Statement, rows: Rows): void
  /** Called when a write transaction has been committed, before anybody hears of it. */
  committed?(): void
}

/** The same database, watched. */
export function watchDb(db: Db, watcher: Watcher): Db {
  return {
    read: unit => db.read(() => watched(unit(), watcher)),
    async write(unit) {
      const value = await db.write(() => watched(unit(), watcher))
      watcher.committed?.()
      return value
    },
    get writeTransactions() {
      return db.writeTransactions
    },
    close: () => db.close(),
  }
}

function* watched<T>(unit: Unit<T>, watcher: Watcher): Unit<T> {
  let step = unit.next([])
  while (!step.done) {
    const rows: Rows[] = []
    for (const statement of step.value) {
      watcher.before?.(statement)
      // Statements go one by one here, so none of them may end the transaction.
      const [found] = yield [{ ...statement, last: undefined }]
      watcher.after?.(statement, found!)
      rows.push(found!)
    }
    step = unit.next(rows)
  }
  return step.value
}

/** Posts to a second app over the test's files, whose database is another one: a watched or a failing one. */
export function postOver(t: TestApp, db: Db): (path: string, body: unknown) => Promise<Reply> {
  const app = createApp({ db, clock: () => t.clock.now, version: '0.0.0-test' })
  return async (path, body) => {
    const response = await app.request(`/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: await response.json(), headers: response.headers }
  }
}
