import { parseDuration } from '../duration.ts'
import { type Copies, describeCopy } from './copies.ts'
import type { SpecContext } from './env.ts'
import { toFailurePattern, toRetryRule } from './failure-rules.ts'
import type { JOB } from './keys.ts'
import { readLabels } from './labels.ts'
import { type NameIndex, nameHint } from './names.ts'
import { placeOf, type SpecObject } from './schema.ts'
import { compileTemplate, renderTemplate, type Template } from './template.ts'
import type { ErrorCode, ExpandedJob, TextMap } from './types.ts'

type JobObject = SpecObject<typeof JOB>

/** What a job names that is not copied itself. */
export interface JobTargets {
  resourceRequirements: NameIndex
  schedulers: NameIndex
  failureHandlers: NameIndex
}

/** The automatic resource set, which may be named as well as left out. */
const DEFAULT_SET = 'default'

/** Compiles the texts of one job once, and makes its copies without links. Names without target are reported per copy. */
export function createJobMaker(
  object: JobObject,
  copies: Copies,
  workflowEnv: TextMap | undefined,
  targets: JobTargets,
  context: SpecContext,
): (copy: number) => ExpandedJob {
  const { get } = object
  const compile = (text: { value: string } | undefined) => compileTemplate(text?.value ?? '', copies.parameters)
  const name = compile(get.name)
  const command = compile(get.command)
  const invocationScript = get.invocation_script && compile(get.invocation_script)
  const cwd = get.cwd && compile(get.cwd)
  const family = get.family && compile(get.family)
  const resolveSet = createResolver(
    object,
    'resource_requirements',
    targets.resourceRequirements,
    'unknown_resource_requirements',
    copies,
    context,
  )
  const resolveScheduler = createResolver(object, 'scheduler', targets.schedulers, 'unknown_scheduler', copies, context)
  const resolveHandler = createResolver(
    object,
    'failure_handler',
    targets.failureHandlers,
    'unknown_failure_handler',
    copies,
    context,
  )
  const makeEnv = createMapMaker(get.env?.entries, copies, workflowEnv)
  const makeTags = createMapMaker(get.tags?.entries, copies, undefined)
  const makeLabels = readLabels(object, copies, context)
  const priority = get.priority?.value ?? 0
  const cancelOnBlockingJobFailure = get.cancel_on_blocking_job_failure?.value ?? true
  const timeLimitSeconds = get.time_limit && parseDuration(get.time_limit.value)
  const retry = get.retry && toRetryRule(get.retry)
  const transient = get.transient && toFailurePattern(get.transient)
  const deterministic = get.deterministic && toFailurePattern(get.deterministic)
  const eject = get.eject?.value
  return copy => {
    const set = resolveSet(copy)
    return {
      name: renderTemplate(name, copy),
      command: renderTemplate(command, copy),
      invocationScript: invocationScript === undefined ? undefined : renderTemplate(invocationScript, copy),
      env: makeEnv(copy),
      priority,
      cancelOnBlockingJobFailure,
      timeLimitSeconds,
      retry,
      transient,
      deterministic,
      eject,
      resourceRequirements: set,
      scheduler: resolveScheduler(copy),
      failureHandler: resolveHandler(copy),
      dependsOn: [],
      inputFiles: [],
      outputFiles: [],
      inputUserData: [],
      outputUserData: [],
      labels: makeLabels(copy),
      tags: makeTags(copy),
      family:
        family !== undefined
          ? renderTemplate(family, copy)
          : (targets.resourceRequirements.names[set ?? -1] ?? DEFAULT_SET),
      cwd: cwd === undefined ? undefined : renderTemplate(cwd, copy),
    }
  }
}

type NameKey = 'resource_requirements' | 'scheduler' | 'failure_handler'

/** Turns the name under a key into an index; reports a name without target. */
function createResolver(
  object: JobObject,
  key: NameKey,
  targets: NameIndex,
  code: ErrorCode,
  copies: Copies,
  { report }: SpecContext,
): (copy: number) => number | undefined {
  const written = object.get[key]
  if (!written) return () => undefined
  const template = compileTemplate(written.value, copies.parameters)
  return copy => {
    const name = renderTemplate(template, copy)
    const index = targets.indexOf.get(name)
    const isDefault = key === 'resource_requirements' && name === DEFAULT_SET
    if (index === undefined && !isDefault && targets.complete) {
      report.error(
        code,
        placeOf(object, key),
        `${key} names nothing that exists: "${name}"${describeCopy(copies, copy)}`,
        nameHint(targets, name),
      )
    }
    return index
  }
}

/** Maps of texts: one shared object while nothing differs between the copies. */
function createMapMaker(
  entries: readonly { key: string; value: { value: string } }[] | undefined,
  copies: Copies,
  base: TextMap | undefined,
) {
  if (!entries || entries.length === 0) return () => base
  const templates = entries.map(({ key, value }): [string, Template] => [
    key,
    compileTemplate(value.value, copies.parameters),
  ])
  const render = (copy: number): TextMap => ({
    ...base,
    ...Object.fromEntries(templates.map(([key, text]) => [key, renderTemplate(text, copy)])),
  })
  if (templates.some(([, text]) => typeof text !== 'string')) return render
  const constant = render(0)
  return () => constant
}
