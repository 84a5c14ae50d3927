import { type Copies, describeCopy } from './copies.ts'
import type { SpecContext } from './env.ts'
import { createJobMaker, type JobTargets } from './job-maker.ts'
import type { JOB } from './keys.ts'
import { addName, createNameIndex, type NameIndex } from './names.ts'
import { type ParameterReader, readCopies } from './parameters.ts'
import { placeOf, type SpecObject } from './schema.ts'
import { type StdioSetting, toStdio } from './stdio.ts'
import { spendText } from './text-budget.ts'
import type { ExpandedJob, TextMap } from './types.ts'

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

/** Makes the copies of every job, in the order of the file, and merges copies of one name that differ in their lists only. */
export function expandJobs(
  objects: readonly JobObject[],
  workflowEnv: TextMap | undefined,
  targets: JobTargets,
  parameters: ParameterReader,
  context: SpecContext,
): JobExpansion {
  const expansion: JobExpansion = { jobs: [], templates: [], names: createNameIndex(), stdioOverrides: new Map() }
  const { entries, complete } = readCopies(objects, 'jobs', parameters, context)
  expansion.names.complete = complete
  for (const { object, copies } of entries) {
    const template: JobTemplate = { object, copies, jobOfCopy: [] }
    expansion.templates.push(template)
    const firstOwn = expansion.jobs.length
    if (!spendText(copies.count * sharedLength(object, workflowEnv), object, context)) {
      expansion.names.complete = false
      return expansion
    }
    const makeJob = createJobMaker(object, copies, workflowEnv, targets, context)
    for (let copy = 0; copy < copies.count; copy++) {
      const job = makeJob(copy)
      template.jobOfCopy.push(placeJob(job, template, copy, firstOwn, expansion, context))
      if (!spendText(textLength(job, object), object, context)) {
        expansion.names.complete = false
        return expansion
      }
    }
  }
  return expansion
}

/** What an entry of a map or list costs beside its text, in characters. */
const ENTRY_COST = 32

/** A job with variables of its own has a map of its own, with those of the workflow in it: known before the first copy is made. */
function sharedLength({ get }: JobObject, workflowEnv: TextMap | undefined): number {
  return get.env && workflowEnv ? Object.keys(workflowEnv).length * ENTRY_COST : 0
}

/** What the copy holds in texts of its own. */
function textLength(
  { name, command, invocationScript = '', env, tags, labels }: ExpandedJob,
  { get }: JobObject,
): number {
  let sum = name.length + command.length + invocationScript.length
  for (const label of labels) sum += label.length + ENTRY_COST
  for (const { key } of get.env?.entries ?? []) sum += env![key]!.length + ENTRY_COST
  for (const { key } of get.tags?.entries ?? []) sum += tags![key]!.length + ENTRY_COST
  return sum
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
