import type * as v from 'valibot'
import type { Shape } from '../query.ts'

export type Method = 'get' | 'post' | 'put' | 'delete'

/** One operation as the document describes it. Everything a program needs comes from the schemas that the routes check with. */
export type Operation = {
  method: Method
  /** Parameters in braces; they are integers unless `PATH_TEXTS` names them. */
  path: string
  /** `operationId`: that of the contract where it has the operation. */
  id: string
  tag: string
  summary: string
  query?: Shape
  body?: v.GenericSchema
  /** The body may be left out. */
  bodyOptional?: boolean
  /** Media type of a body that is no JSON. */
  bodyType?: string
  reply?: v.GenericSchema
  /** Media type of a reply that is no JSON. */
  replyType?: string
  /** The reply of another success status. */
  accepted?: v.GenericSchema
  /** Takes an Idempotency-Key. */
  creates?: boolean
}

/** Path parameters that are words. */
export const PATH_TEXTS: readonly string[] = ['status', 'worker', 'user_name']

type Rest = Omit<Operation, 'method' | 'path' | 'id' | 'summary' | 'tag'>

/** Begins the table of one tag. */
export const tagged =
  (tag: string) =>
  (method: Method, path: string, id: string, summary: string, rest: Rest = {}): Operation => ({
    method,
    path,
    id,
    tag,
    summary,
    ...rest,
  })
