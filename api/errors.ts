import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** Every way a request can fail: the code that programs read, its HTTP status, and the kind that old clients show. */
const ERRORS = {
  bad_request: { status: 400, kind: 'BadRequest' },
  unauthorized: { status: 401, kind: 'Unauthorized' },
  forbidden: { status: 403, kind: 'Forbidden' },
  not_found: { status: 404, kind: 'NotFound' },
  method_not_allowed: { status: 405, kind: 'MethodNotAllowed' },
  conflict: { status: 409, kind: 'Conflict' },
  lost_claim: { status: 409, kind: 'Conflict' },
  too_large: { status: 413, kind: 'PayloadTooLarge' },
  unsupported_media_type: { status: 415, kind: 'UnsupportedMediaType' },
  invalid: { status: 422, kind: 'UnprocessableEntity' },
  stale_run: { status: 422, kind: 'UnprocessableEntity' },
  already_final: { status: 422, kind: 'UnprocessableEntity' },
  mismatch: { status: 422, kind: 'UnprocessableEntity' },
  illegal_status: { status: 422, kind: 'UnprocessableEntity' },
  wrong_workflow: { status: 422, kind: 'UnprocessableEntity' },
  too_many_requests: { status: 429, kind: 'TooManyRequests' },
  internal: { status: 500, kind: 'InternalServerError' },
  unavailable: { status: 503, kind: 'ServiceUnavailable' },
} as const satisfies Record<string, { status: ContentfulStatusCode; kind: string }>

export type ErrorCode = keyof typeof ERRORS

export type ErrorBody = { error: { error: string; code: ErrorCode; message: string; [extra: string]: unknown } }

/**
 * Ends a request with the status its code has. `extra` joins the error object (`field`, `value`, `existing_task_id` ...).
 * A message of a 4xx must not hold the words of contract/notes.md 1: runners of old clients repeat such requests for 20 minutes.
 */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly extra: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.code = code
    this.extra = extra
  }

  get status(): ContentfulStatusCode {
    return ERRORS[this.code].status
  }

  /** The reply body: the union of the two forms that clients know (contract/notes.md 4). */
  get body(): ErrorBody {
    return { error: { error: ERRORS[this.code].kind, code: this.code, message: this.message, ...this.extra } }
  }
}

/** A refusal that comes before the question whether what is named exists: for its shape, or by the order of checks of its operation. */
export class EarlyRefusal extends AppError {}

/** `noun` names what is missing: "File". Texts about jobs name the parameter too (19.13). */
export const missing = (noun: string, id: number): AppError =>
  new AppError('not_found', `${noun} not found with ID: ${noun === 'Job' ? `job_id=${id}` : id}`)
