import { Hono } from 'hono'
import type { AppEnv, Services } from '../context.ts'
import { accessGroupRoutes } from './access-groups.ts'
import { actionRoutes } from './actions.ts'
import { adminRoutes } from './admin.ts'
import { allocationPlanRoutes } from './allocation-plans.ts'
import { allocationRoutes } from './allocations.ts'
import { bulkChangeRoutes } from './bulk-changes.ts'
import { claimRoutes } from './claims.ts'
import { manyClaimRoutes } from './claims-many.ts'
import { claimStreamRoutes } from './claims-stream.ts'
import { claimUpkeepRoutes } from './claims-upkeep.ts'
import { completionRoutes } from './completions.ts'
import { computeNodeRoutes } from './compute-nodes.ts'
import { dutyRoutes } from './duties.ts'
import { ejectedJobRoutes } from './ejected-jobs.ts'
import { eventStreamRoutes } from './event-stream.ts'
import { eventRoutes } from './events.ts'
import { explainRoutes } from './explain.ts'
import { exportRoutes } from './export.ts'
import { failureHandlerRoutes } from './failure-handlers.ts'
import { fileRoutes } from './files.ts'
import { fromSpecRoutes } from './from-spec.ts'
import { graphRoutes } from './graph.ts'
import { heartbeatRoutes } from './heartbeat.ts'
import { importRoutes } from './import.ts'
import { initializeRoutes } from './initialize.ts'
import { jobReportRoutes } from './job-reports.ts'
import { jobStatusRoutes } from './job-status.ts'
import { jobRoutes } from './jobs.ts'
import { localSchedulerRoutes } from './local-schedulers.ts'
import { pipeReconcileRoutes } from './pipe-reconcile.ts'
import { pipeRunnerRoutes } from './pipe-runners.ts'
import { pipeRunRoutes } from './pipe-runs.ts'
import { releaseRoutes } from './release.ts'
import { remoteWorkerRoutes } from './remote-workers.ts'
import { resourceRequirementsRoutes } from './resource-requirements.ts'
import { resultRoutes } from './results.ts'
import { roCrateEntityRoutes } from './ro-crate-entities.ts'
import { runnerTokenRoutes } from './runner-tokens.ts'
import { scheduledComputeNodeRoutes } from './scheduled-compute-nodes.ts'
import { serviceRoutes } from './service.ts'
import { slurmSchedulerRoutes } from './slurm-schedulers.ts'
import { slurmStatsRoutes } from './slurm-stats.ts'
import { spawnRoutes } from './spawn-jobs.ts'
import { specSchemaRoutes } from './spec-schema.ts'
import { taskRoutes } from './tasks.ts'
import { tokenRoutes } from './tokens.ts'
import { userDataRoutes } from './user-data.ts'
import { webhookRoutes } from './webhooks.ts'
import { workflowAccessRoutes } from './workflow-access.ts'
import { workflowGraphRoutes } from './workflow-graph.ts'
import { workflowProgressRoutes } from './workflow-progress.ts'
import { workflowStatusRoutes } from './workflow-status.ts'
import { workflowRoutes } from './workflows.ts'

/** Every operation, noun by noun. */
const ROUTES = [
  accessGroupRoutes,
  actionRoutes,
  adminRoutes,
  allocationPlanRoutes,
  allocationRoutes,
  bulkChangeRoutes,
  claimRoutes,
  claimStreamRoutes,
  claimUpkeepRoutes,
  completionRoutes,
  computeNodeRoutes,
  dutyRoutes,
  ejectedJobRoutes,
  eventRoutes,
  eventStreamRoutes,
  explainRoutes,
  exportRoutes,
  failureHandlerRoutes,
  fileRoutes,
  fromSpecRoutes,
  heartbeatRoutes,
  graphRoutes,
  importRoutes,
  initializeRoutes,
  jobReportRoutes,
  jobRoutes,
  jobStatusRoutes,
  localSchedulerRoutes,
  manyClaimRoutes,
  pipeReconcileRoutes,
  pipeRunnerRoutes,
  pipeRunRoutes,
  releaseRoutes,
  remoteWorkerRoutes,
  resourceRequirementsRoutes,
  resultRoutes,
  roCrateEntityRoutes,
  runnerTokenRoutes,
  scheduledComputeNodeRoutes,
  serviceRoutes,
  slurmSchedulerRoutes,
  slurmStatsRoutes,
  spawnRoutes,
  specSchemaRoutes,
  taskRoutes,
  tokenRoutes,
  webhookRoutes,
  userDataRoutes,
  workflowAccessRoutes,
  workflowGraphRoutes,
  workflowProgressRoutes,
  workflowRoutes,
  workflowStatusRoutes,
]

/** Joins all routes in one app, which `createApp` mounts at its base paths. */
export function mountRoutes(services: Services): Hono<AppEnv> {
  const api = new Hono<AppEnv>()
  for (const routes of ROUTES) api.route('/', routes(services))
  return api
}
