import { setTimeout as sleep } from 'node:timers/promises'
import type { WorkflowOptions } from '../../api/core/spec/options.ts'
import { needAddress, nodeUrl } from '../allocate/address.ts'
import type { PlanConfig } from '../allocate/config.ts'
import { type DryRun, exampleRequest, rehearse } from '../allocate/dry-run.ts'
import { keepAllocating } from '../allocate/keep.ts'
import { PLAN_OPTIONS, planName, readPlanConfig } from '../allocate/options.ts'
import { createPlanner, leaseFor, type Planner } from '../allocate/planner.ts'
import { dryRunDocument, renderDryRun } from '../allocate/render.ts'
import { isLoopback } from '../client/proxy.ts'
import { allValues } from '../command-line/arguments.ts'
import { cannotRun, usageError } from '../command-line/error.ts'
import { amountFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, type Format, WORKFLOW } from '../command-line/options.ts'
import { print, printJson, stdoutPaint } from '../command-line/output.ts'
import { defineVerb, type ExitCode } from '../command-line/verb.ts'
import type { ControlPlane } from '../control-plane.ts'
import { newHolder } from '../duty.ts'
import { findScheduler } from '../schedulers/find.ts'
import { SCHEDULER_NAMES } from '../schedulers/types.ts'
import { renderStatus } from '../screen/status.ts'
import type { WorkflowSummary } from '../wire.ts'
import { expectValue, formatOf, summaryOf, withControlPlane, workflowId } from './ask.ts'
import { ENDINGS, endingOf } from './wait.ts'

const EVERY_SECONDS = 30
/** How often the workflow is looked at, which costs the scheduler nothing. */
const LOOK_MS = 2_000

const ARGS = {
  ...WORKFLOW,
  ...PLAN_OPTIONS,
  plan: {
    type: 'string',
    valueHint: 'NAME',
    description: 'name of the plan: a workflow may have several (default: default)',
  },
  every: {
    type: 'string',
    valueHint: 'SECONDS',
    description: `ask the scheduler what waits and runs no more often than this (default: ${EVERY_SECONDS})`,
  },
  once: { type: 'boolean', description: 'look once, do what is to be done, and leave' },
  'dry-run': {
    type: 'boolean',
    description: 'only show what would be asked for and the scripts; the scheduler checks them where it can',
  },
  ...FORMAT,
  ...CONTROL_PLANE,
} as const

export default defineVerb({
  about:
    'Ask a batch scheduler for as many nodes as the ready jobs of a workflow need, within limits, and give them back: runners leave when they find no work, and requests that nobody needs any more are cancelled. Stays until the workflow is over; after Ctrl-C what was asked for goes on, and the same command or `runner watch` takes up again.',
  args: ARGS,
  examples: [
    'allocate 3 --scheduler slurm --queue short,long --walltime 1h,8h --max-nodes 20 --num-cpus 32',
    'allocate 3 --scheduler sge --walltime 2h --dry-run',
    'allocate status 3',
  ],
  exitCodes: ENDINGS,
  async run(args, rawArgs) {
    const format = formatOf(args.format)
    const name = planName(args.plan)
    const everySeconds = amountFlag('--every', args.every) ?? EVERY_SECONDS
    if (args.scheduler === undefined)
      throw usageError(`Cannot allocate without --scheduler: it is one of ${SCHEDULER_NAMES.join(', ')}`)
    const scheduler = findScheduler(args.scheduler)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const address = needAddress(controlPlane)
      const site = await siteOf(controlPlane, id)
      const config = await readPlanConfig(args, scheduler, {
        url: nodeUrl(args['node-url'], address),
        caCert: address.caCert,
        cwd: process.cwd(),
        site: {
          prologue: [...(site?.prologue ?? []), ...allValues(ARGS, rawArgs, 'site-prologue')],
          directives: [...(site?.directives ?? []), ...allValues(ARGS, rawArgs, 'site-directive')],
        },
      })
      if (isLoopback(new URL(config.url).hostname) && scheduler.name !== 'local')
        note(
          `Nodes are told to find the server at ${config.url}: unless they are this machine, name its address with --node-url`,
        )
      // What cannot be said in this scheduler's words is found before anything is kept.
      scheduler.renderScript(exampleRequest(config, id))
      if (args['dry-run']) {
        const dry = await rehearse(controlPlane.client, id, name, config, scheduler)
        return showDryRun(expectValue(dry, `plan allocations for workflow ${id}`, controlPlane.where), format)
      }
      await begin(controlPlane, id, name, config)
      const planner = createPlanner({
        client: controlPlane.client,
        workflowId: id,
        proof: address,
        holder: newHolder(),
        leaseSeconds: leaseFor(everySeconds),
        clock: Date.now,
        note,
        only: name,
      })
      return args.once
        ? lookOnce(planner, controlPlane, id, format)
        : stay(planner, controlPlane, id, everySeconds, format)
    })
  },
})

const note = (line: string): void => void process.stderr.write(`${line}\n`)

async function siteOf({ client, where }: ControlPlane, id: number): Promise<WorkflowOptions['site']> {
  const reply = await client.request<{ options?: WorkflowOptions }>('GET', `/workflows/${id}`)
  return expectValue(reply, `read workflow ${id}`, where).options?.site
}

/** Jobs are made ready as `run` would make them, and the plan is kept. */
async function begin(controlPlane: ControlPlane, id: number, name: string, config: PlanConfig): Promise<void> {
  const { client, where } = controlPlane
  const summary = await summaryOf(controlPlane, id, `allocate for workflow ${id}`)
  if ((summary.jobs_by_status.uninitialized ?? 0) > 0) {
    const path = `/workflows/${id}/initialize_jobs?only_uninitialized=true`
    const reply = await client.request('POST', path, undefined, { repeatable: true })
    expectValue(reply, `initialize workflow ${id}`, where)
  }
  const body = { name, config }
  const kept = await client.request('POST', `/workflows/${id}/allocation_plans`, body, { repeatable: true })
  expectValue(kept, `keep plan ${name} of workflow ${id}`, where)
}

function showDryRun(dry: DryRun, format: Format): ExitCode {
  if (format === 'json') printJson(dryRunDocument(dry))
  else print(renderDryRun(dry))
  return dry.requests.some(({ probe }) => probe.kind === 'refused') ? 1 : 0
}

async function lookOnce(planner: Planner, controlPlane: ControlPlane, id: number, format: Format): Promise<ExitCode> {
  const looked = await planner.look()
  await planner.leave()
  if (!looked.ok) throw cannotRun(`Cannot allocate for workflow ${id}: ${looked.message} (${controlPlane.where})`)
  const { ok: _, ...counts } = looked
  if (format === 'json') printJson({ workflow_id: id, ...counts })
  else
    print(
      `${counts.submitted} requests submitted, ${counts.refused} refused, ${counts.canceled} elements cancelled, ${counts.open} requests open.`,
    )
  return counts.refused > 0 ? 1 : 0
}

/** Stays until the workflow is over and nothing is left in the queue, or until the user leaves. */
async function stay(
  planner: Planner,
  controlPlane: ControlPlane,
  id: number,
  everySeconds: number,
  format: Format,
): Promise<ExitCode> {
  const leave = new AbortController()
  const onSignal = (): void => leave.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, onSignal)
  const kept = await keepAllocating({
    planner,
    summary: () => controlPlane.client.request<WorkflowSummary>('GET', `/workflows/${id}/summary`),
    everyMs: everySeconds * 1000,
    lookMs: Math.min(LOOK_MS, everySeconds * 1000),
    clock: Date.now,
    sleep: ms => sleep(ms, undefined, { signal: leave.signal }).catch(() => {}),
    isStopped: () => leave.signal.aborted,
    note,
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, onSignal)
  const summary = kept.kind === 'ended' ? kept.summary : await summaryOf(controlPlane, id, `show workflow ${id}`)
  if (kept.kind === 'left')
    note(`Left: ${kept.open} requests go on by themselves; \`runner allocate stop ${id}\` takes back what waits`)
  if (format === 'json') printJson(summary)
  else print(renderStatus({ ...summary, workflow_name: summary.name }, stdoutPaint()))
  return endingOf(summary)
}
