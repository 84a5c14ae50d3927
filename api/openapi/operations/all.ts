import type { Operation } from '../operation.ts'
import { ALLOCATION_OPERATIONS } from './allocations.ts'
import { JOB_OPERATIONS } from './jobs.ts'
import { PIPE_OPERATIONS } from './pipe.ts'
import { RESOURCE_OPERATIONS } from './resources.ts'
import { SERVER_OPERATIONS } from './server.ts'
import { WORKFLOW_OPERATIONS } from './workflows.ts'

/** Every operation of the API. tests/api/openapi.test.ts holds this against the routes that are mounted. */
export const OPERATIONS: readonly Operation[] = [
  ...WORKFLOW_OPERATIONS,
  ...JOB_OPERATIONS,
  ...PIPE_OPERATIONS,
  ...RESOURCE_OPERATIONS,
  ...ALLOCATION_OPERATIONS,
  ...SERVER_OPERATIONS,
]
