import { Hono } from 'hono'
import { deleteFile, deleteFiles, type FileRow, insertFiles, listFiles } from '../../db/files.ts'
import { file } from '../../db/schema.ts'
import { updateRow } from '../../db/table.ts'
import { readBody } from '../body.ts'
import type { AppEnv, Services } from '../context.ts'
import { BulkFiles, FileChange, NewFile } from '../contract/file.ts'
import { FILE_FILTERS as FILTERS } from '../contract/filters.ts'
import { createOnce } from '../idempotency.ts'
import { pathInteger } from '../query.ts'
import { oneWorkflowOf, refuseRepeatedNames } from './bulk.ts'
import { needRow, needWorkflow } from './guards.ts'
import { answerList } from './lists.ts'
import { mountPlain } from './plain.ts'
import { compact } from './reply.ts'

export const reply = (row: FileRow) => compact(row)

export const values = ({ name, path, st_mtime, identifier }: NewFile) => ({
  name,
  path,
  st_mtime: st_mtime ?? null,
  identifier: identifier ?? null,
})

export function fileRoutes(services: Services): Hono<AppEnv> {
  const { db } = services
  const routes = new Hono<AppEnv>()

  routes.post('/files', async c => {
    const body = await readBody(c, NewFile)
    return createOnce(c, services, function* () {
      yield* needWorkflow(body.workflow_id)
      const [row] = yield* insertFiles(body.workflow_id, [values(body)])
      return reply(row!)
    })
  })

  routes.post('/bulk_files', async c => {
    const { files } = await readBody(c, BulkFiles)
    return createOnce(c, services, function* () {
      const workflowId = yield* oneWorkflowOf(files, 'files')
      refuseRepeatedNames(files, 'files')
      const rows = yield* insertFiles(workflowId, files.map(values))
      return { files: rows.map(reply) }
    })
  })

  routes.get('/files', c => answerList(c, db, FILTERS, listFiles, reply))

  routes.put('/files/:id', async c => {
    const id = pathInteger(c, 'id')
    const body = await readBody(c, FileChange)
    const row = await db.write(function* () {
      const before = yield* needRow(file, 'File', id)
      const stMtime = body.st_mtime ?? null
      // st_mtime is always set: clients clear it for a file that has vanished (contract/notes.md 13.2).
      return yield* updateRow(file, id, {
        name: body.name ?? undefined,
        path: body.path ?? undefined,
        st_mtime: stMtime,
        identifier: body.identifier ?? undefined,
        // What a runner saw in it was in another file.
        ...(stMtime === before.st_mtime ? {} : { size_bytes: null, sha256: null }),
      })
    })
    return c.json(reply(row))
  })

  mountPlain(routes, services, {
    path: '/files',
    noun: 'File',
    table: file,
    reply,
    remove: row => deleteFile(row.id),
    removeAll: deleteFiles,
    describeRemoved: deleted_count => ({ deleted_count }),
  })
  return routes
}
