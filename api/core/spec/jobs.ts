import { parseDuration } from '../duration.ts'
import type { SpecContext } from './env.ts'
import { toFailurePattern, toRetryRule } from './failure-rules.ts'
import type { JOB } from './keys.ts'
import { readLabels } from './labels.ts'
import { addName, createNameIndex, type NameIndex, nameHint } from './names.ts'
import { type Copies, describeCopy, type ParameterReader, readCopies } from './parameters.ts'
import { keyPlaceOf, placeOf, type SpecObject } from './schema.ts'
import { type StdioSetting, toStdio } from './stdio.ts'
import { compileTemplate, partCount, renderTemplate, type Template } from './template.ts'
import type { TextNode } from './tree.ts'
import type { ErrorCode, ExpandedJob, TextMap } from './types.ts'

type JobObject = SpecObject<typeof JOB>

/** One entry of `jobs` and the jobs that its copies became. */
export interface JobTemplate {
  object: JobObject
  copies: Copies
  /** The job of each copy; several copies may have merged into one. */
  jobOfCopy: number[]
}

export interface JobExpansion {
  /** Without links, which need the names of all jobs. */
  jobs: ExpandedJob[]
  templates: JobTemplate[]
  names: NameIndex
  stdioOverrides: Map<string, StdioSetting>
}

export interface JobTargets {
  resourceRequirements: NameIndex
  schedulers: NameIndex
  failureHandlers: NameIndex
}

/** Characters of all commands and names together; a long value put into a million commands would fill the memory. */
const MOST_CHARACTERS = 256 * 2 ** 20

/** Pieces that all commands and names are put together from: about a second's work. */
const MOST_PARTS = 12_000_000

/** The automatic resource set, which may be named as well as left out. */
const DEFAULT_SET = 'default'

/** Makes the copies of every job, in the order of the file, and merges copies of one name that differ in their lists only. */
export function expandJobs(
  objects: readonly JobObject[],
  workflowEnv: TextMap | undefined,
  targets: JobTargets,
  parameters: ParameterReader,
  context: SpecContext,
): JobExpansion {
  const expansion: JobExpansion = { jobs: [], templates: [], names: createNameIndex(), stdioOverrides: new Map() }
  let characters = 0
  let parts = 0
  const { entries, complete } = readCopies(objects, 'jobs', parameters, context)
  expansion.names.complete = complete && objects.every(({ get }) => get.name)
  for (const { object, copies } of entries) {
    if (!object.get.name) continue
    const template: JobTemplate = { object, copies, jobOfCopy: [] }
    expansion.templates.push(template)
    const firstOwn = expansion.jobs.length
    parts += copies.count * (partsOf(object.get.name, copies) + partsOf(object.get.command, copies))
    if (parts > MOST_PARTS) return tooLong(expansion, object, context)
    const makeJob = createJobMaker(object, copies, workflowEnv, targets, context)
    for (let copy = 0; copy < copies.count; copy++) {
      const job = makeJob(copy)
      characters += job.name.length + job.command.length
      if (characters > MOST_CHARACTERS) return tooLong(expansion, object, context)
      template.jobOfCopy.push(placeJob(job, template, copy, firstOwn, expansion, context))
    }
  }
  return expansion
}

function partsOf(text: TextNode | undefined, { parameters }: Copies): number {
  return partCount(compileTemplate(text?.value ?? '', parameters))
}

function tooLong(expansion: JobExpansion, object: JobObject, { report }: SpecContext): JobExpansion {
  const message = 'the commands of this file are too long together'
  report.error('bad_parameter', keyPlaceOf(object, 'parameters'), message, 'split the workflow')
  expansion.names.complete = false
  return expansion
}

/** Adds a job, or finds the earlier copy that it merges with. Gives its index. */
function placeJob(
  job: ExpandedJob,
  template: JobTemplate,
  copy: number,
  firstOwn: number,
  expansion: JobExpansion,
  context: SpecContext,
) {
  const { object, copies } = template
  const earlier = expansion.names.indexOf.get(job.name)
  if (earlier === undefined) {
    expansion.jobs.push(job)
    if (object.get.stdio) expansion.stdioOverrides.set(job.name, toStdio(object.get.stdio))
    return addName(expansion.names, job.name)
  }
  const place = placeOf(object, 'name')
  if (earlier < firstOwn) {
    context.report.error(
      'duplicate_name',
      place,
      `another job is already called "${job.name}"${describeCopy(copies, copy)}`,
    )
  } else if (isSameButLists(job, expansion.jobs[earlier]!)) {
    context.report.warn(
      'merged_jobs',
      place,
      `the copies called "${job.name}" become one job that has the lists of all of them`,
    )
  } else {
    const hint = missingParameters(object, copies)
    context.report.error(
      'duplicate_name',
      place,
      `${copies.count} copies do not give as many names: "${job.name}" comes again`,
      hint,
    )
  }
  return earlier
}

function missingParameters(object: JobObject, copies: Copies): string | undefined {
  const name = object.get.name?.value ?? ''
  const missing = [...copies.parameters.keys()].filter(
    parameter => !name.includes(`{${parameter}}`) && !name.includes(`{${parameter}:`),
  )
  return missing.length > 0
    ? `put ${missing.map(parameter => `{${parameter}}`).join(' and ')} into the name`
    : undefined
}

/** Before linking the lists are empty, so everything else is what remains to compare. */
function isSameButLists(a: ExpandedJob, b: ExpandedJob): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function createJobMaker(
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
  const shared = {
    priority: get.priority?.value ?? 0,
    cancelOnBlockingJobFailure: get.cancel_on_blocking_job_failure?.value ?? true,
    timeLimitSeconds: get.time_limit && parseDuration(get.time_limit.value),
    retry: get.retry && toRetryRule(get.retry),
    transient: get.transient && toFailurePattern(get.transient),
    deterministic: get.deterministic && toFailurePattern(get.deterministic),
    eject: get.eject?.value,
  }
  return copy => {
    const set = resolveSet(copy)
    return {
      name: renderTemplate(name, copy),
      command: renderTemplate(command, copy),
      invocationScript: invocationScript === undefined ? undefined : renderTemplate(invocationScript, copy),
      env: makeEnv(copy),
      ...shared,
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
