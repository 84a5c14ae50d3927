import { type AppOptions, createApp } from '../../api/app.ts'
import { migrate } from '../../db/migrate.ts'
import type { Db } from '../../db/unit.ts'
import { openMigratedDb } from './back-end.ts'
import { TEST_START } from './templates.ts'

// biome-ignore lint/suspicious/noExplicitAny: a test says what it expects of a reply by asserting it
export type Reply = { status: number; body: any; headers: Headers }

type HeaderMap = Record<string, string>

/** Who sends requests: paths are those below `/v1`. */
export type Caller = {
  get(path: string, headers?: HeaderMap): Promise<Reply>
  post(path: string, body?: unknown, headers?: HeaderMap): Promise<Reply>
  put(path: string, body?: unknown, headers?: HeaderMap): Promise<Reply>
  del(path: string, headers?: HeaderMap): Promise<Reply>
}

export type TestApp = Caller & {
  app: ReturnType<typeof createApp>
  db: Db
  /** The path of the database file, in a folder of its own, or the server's address: see back-end.ts. */
  dbPath: string
  /** Another connection to the same database, as the next process would have. */
  reopen(): Db
  /** The clock the app reads; a test moves it. */
  clock: { now: number }
  close(): Promise<void>
}

/** A fresh database with the app above it; paths are those below `/v1`. Close it, that removes the database. */
export async function testApp(options: Partial<AppOptions> = {}, open = openMigratedDb): Promise<TestApp> {
  const clock = { now: TEST_START }
  const { db, dbPath, reopen, remove } = await open()
  if (open !== openMigratedDb) await db.write(() => migrate(clock.now))
  // A fault of ours fails a test by its 500; what it was stands beside it.
  const onFault = (error: unknown) => console.error(error)
  const app = createApp({ db, clock: () => clock.now, version: '0.0.0-test', onFault, ...options })

  async function send(method: string, path: string, body: unknown, headers: HeaderMap = {}): Promise<Reply> {
    const init: RequestInit = { method, headers }
    if (body !== undefined) {
      init.body = JSON.stringify(body)
      init.headers = {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(init.body)),
        ...headers,
      }
    }
    const response = await app.request(`/v1${path}`, init)
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers }
  }

  return {
    app,
    db,
    dbPath,
    reopen,
    clock,
    get: (path, headers) => send('GET', path, undefined, headers),
    post: (path, body, headers) => send('POST', path, body, headers),
    put: (path, body, headers) => send('PUT', path, body, headers),
    del: (path, headers) => send('DELETE', path, undefined, headers),
    close: remove,
  }
}
