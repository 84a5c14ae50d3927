import { and, eq } from 'drizzle-orm'
import { equals, type ListRequest, listTable, type Page } from './list.ts'
import { roCrateEntity } from './schema.ts'
import { one, type Unit } from './unit.ts'

export type RoCrateEntityRow = typeof roCrateEntity.$inferSelect
export type RoCrateEntityFilter = { workflow_id: number; file_id?: number; entity_id?: string }

export function* listRoCrateEntities(filter: RoCrateEntityFilter, request: ListRequest): Unit<Page<RoCrateEntityRow>> {
  const where = and(
    eq(roCrateEntity.workflow_id, filter.workflow_id),
    equals(roCrateEntity.file_id, filter.file_id),
    equals(roCrateEntity.entity_id, filter.entity_id),
  )
  return yield* listTable(roCrateEntity, where, request)
}

/** Whether another entity of the workflow has this id, or describes this file. */
export function* isEntityTaken(
  workflowId: number,
  entity: { entity_id: string; file_id: number | null },
  except: number | null,
): Unit<boolean> {
  const found = yield* one(
    `SELECT 1 FROM ro_crate_entity WHERE workflow_id = ?1 AND id IS NOT ?2 AND (entity_id = ?3 OR file_id = ?4) LIMIT 1`,
    workflowId,
    except,
    entity.entity_id,
    entity.file_id,
  )
  return found !== undefined
}
