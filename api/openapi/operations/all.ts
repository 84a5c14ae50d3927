import type { Operation } from '../operation.ts'
import { JOB_OPERATIONS } from './jobs.ts'
import { RESOURCE_OPERATIONS } from './resources.ts'
import { SERVER_OPERATIONS } from './server.ts'
import { WORKFLOW_OPERATIONS } from './workflows.ts'

/** Every operation of the API. tests/api/openapi.test.ts holds this against the routes that are mounted. */
export const OPERATIONS: readonly Operation[] = [
  ...WORKFLOW_OPERATIONS,
  ...JOB_OPERATIONS,
  ...RESOURCE_OPERATIONS,
  ...SERVER_OPERATIONS,
]
