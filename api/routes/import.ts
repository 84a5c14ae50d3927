import { Hono } from 'hono'
import { keepInTheMaking, showWhenWhole } from '../../db/creating.ts'
import { appendEvents } from '../../db/stream-events.ts'
import type { Unit } from '../../db/unit.ts'
import { ownerOfNew, projectOf } from '../access-rules.ts'
import type { AppEnv, AppRequest, Services } from '../context.ts'
import { fingerprint } from '../core/fingerprint.ts'
import { AppError } from '../errors.ts'
import { makeOnce, markRepeated, requestKey } from '../idempotency.ts'
import { readLines } from '../ndjson.ts'
import { readQuery } from '../query.ts'
import { checkEnd, type Document, type Gathered, readDocument } from './import-document.ts'
import { finishImport } from './import-jobs.ts'
import { storeRecords } from './import-records.ts'
import { beginImport, type Import } from './import-target.ts'

const TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl']

/** Ours: a workflow from an exported document, stored while it arrives. Nobody sees it before its last line has been read. */
export function importRoutes(services: Services): Hono<AppEnv> {
  const { db, clock } = services
  const routes = new Hono<AppEnv>()

  routes.post('/workflows/import', async c => {
    const query = readQuery(c, { fresh: 'boolean', name: 'text' })
    refuseOtherTypes(c)
    const key = await requestKey(c, '')
    const content = { digest: '' }
    const document = await readDocument(watched(readLines(c.req.raw.body), content))
    const user = ownerOfNew(c.var, document.workflow.user)
    const record = { ...document.workflow, project: projectOf(c.var, document.workflow.project) }
    const begun = await db.write(() =>
      beginImport(record, { fresh: query.fresh ?? false, name: query.name, user, now: clock() }),
    )
    // What the key stands for is known when all has been read.
    const wholeKey = key && (() => ({ ...key, request: fingerprint(key.request + content.digest) }))
    const make = (settle: Settle = nothingMore) =>
      showWhenWhole(db, begun.workflowId, async () => {
        await storeAll(services, begun, document)
        return function* () {
          yield* appendEvents(begun.workflowId, clock(), [{ type: 'workflow_imported' }])
          yield* settle(begun.workflowId)
        }
      })
    const done = await makeOnce(services, wholeKey, make, workflow_id => ({
      workflow_id,
      job_count: begun.jobs.length,
    }))
    markRepeated(c, done)
    return c.json(done.body)
  })
  return routes
}

type Settle = (workflowId: number) => Unit<void>

function* nothingMore(): Unit<void> {}

function refuseOtherTypes(c: AppRequest): void {
  const type = c.req.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  if (TYPES.includes(type)) return
  throw new AppError('unsupported_media_type', `Cannot read the document as its content type must be ${TYPES[0]}`)
}

/** Keeps a digest of what has gone by. */
async function* watched(lines: AsyncIterable<string>, content: { digest: string }): AsyncGenerator<string> {
  for await (const line of lines) {
    content.digest = fingerprint(content.digest + line)
    yield line
  }
}

async function storeAll({ db, clock }: Services, begun: Import, { batches }: Document): Promise<void> {
  let last: Gathered | undefined
  for await (const batch of batches) {
    last = batch
    await db.write(function* () {
      yield* keepInTheMaking(begun.workflowId, clock())
      yield* storeRecords(begun, batch)
    })
  }
  checkEnd(last, begun.jobs.length)
  for (const step of finishImport(begun)) await db.write(step)
}
