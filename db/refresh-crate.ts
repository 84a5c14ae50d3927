import { type CrateFile, fileMetadata, serverEntityId, serverMetadata } from '../api/core/ro-crate.ts'
import { all, type Db, one, run, type Unit } from './unit.ts'

/** Files looked at in one transaction, so that it ends within about 100 ms. */
const CHUNK = 2_000

type Row = {
  id: number
  name: string
  path: string
  st_mtime: number | null
  entity: number | null
  entity_id: string | null
  metadata: string | null
}

/**
 * Brings the RO-Crate of a workflow that wants one up to date: an entity for each file that has been seen, and one for the server. May
 * be repeated. Entities of others that have a file's path as their id are left alone.
 */
export async function refreshCrate(db: Db, workflowId: number): Promise<void> {
  const workflow = await db.read(() =>
    one<{ run_id: number }>('SELECT run_id FROM workflow WHERE id = ? AND enable_ro_crate = 1', workflowId),
  )
  if (workflow === undefined) return
  let after = 0
  for (;;) {
    const files = await db.read(() => listCrateFiles(workflowId, after))
    const last = files[files.length - 1]
    if (last === undefined) break
    after = last.id
    await db.write(() => storeFileEntities(workflowId, files))
  }
  await db.write(() => storeServerEntity(workflowId, workflow.run_id))
}

/** Files that have been seen, and files that have an entity already. */
function* listCrateFiles(workflowId: number, after: number): Unit<Row[]> {
  return yield* all<Row>(
    `SELECT f.id, f.name, f.path, f.st_mtime, e.id AS entity, e.entity_id, e.metadata
     FROM file AS f LEFT JOIN ro_crate_entity AS e ON e.file_id = f.id AND e.entity_type = 'File'
     WHERE f.workflow_id = ? AND f.id > ? AND (f.st_mtime IS NOT NULL OR e.id IS NOT NULL) ORDER BY f.id LIMIT ${CHUNK}`,
    workflowId,
    after,
  )
}

function* storeFileEntities(workflowId: number, rows: readonly Row[]): Unit<void> {
  const entries = rows.map(row => {
    const entityId = row.entity_id ?? row.path
    const file: CrateFile = { entityId, name: row.name, path: row.path, stMtime: row.st_mtime }
    return [row.entity, row.id, entityId, JSON.stringify(fileMetadata(objectOf(row.metadata), file))]
  })
  const list = JSON.stringify(entries)
  yield* run(
    `WITH new AS MATERIALIZED (SELECT value ->> 0 AS id, value ->> 3 AS metadata FROM json_each(?))
     UPDATE ro_crate_entity SET metadata = new.metadata FROM new WHERE ro_crate_entity.id = new.id`,
    list,
  )
  yield* run(
    `INSERT OR IGNORE INTO ro_crate_entity (workflow_id, file_id, entity_id, entity_type, metadata, metadata_is_object)
     SELECT ?2, value ->> 1, value ->> 2, 'File', value ->> 3, 1 FROM json_each(?1) WHERE value ->> 0 IS NULL`,
    list,
    workflowId,
  )
}

function objectOf(metadata: string | null): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(metadata ?? '{}')
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : {}
  } catch {
    return {}
  }
}

function* storeServerEntity(workflowId: number, runId: number): Unit<void> {
  yield* run(
    `INSERT OR IGNORE INTO ro_crate_entity (workflow_id, entity_id, entity_type, metadata, metadata_is_object)
     VALUES (?, ?, 'SoftwareApplication', ?, 1)`,
    workflowId,
    serverEntityId(runId),
    JSON.stringify(serverMetadata(runId)),
  )
}
