import type { SpecContext } from './env.ts'
import type { FileExpansion } from './files.ts'
import { nearest } from './hints.ts'
import type { JobExpansion, JobTemplate } from './jobs.ts'
import type { JOB } from './keys.ts'
import { type NameIndex, nameHint } from './names.ts'
import { describeCopy } from './parameters.ts'
import { patternPlace } from './pattern-place.ts'
import { type Reference, referenceIndex, replaceReferences } from './references.ts'
import type { Place } from './report.ts'
import { itemPlaceOf, joinPath, type SpecObject } from './schema.ts'
import type { Select } from './selectors.ts'
import { compilePattern, compileTemplate, renderTemplate } from './template.ts'
import { offsetInText, type TextNode } from './tree.ts'
import type { ErrorCode, ExpandedJob } from './types.ts'
import type { UserDataExpansion } from './user-data.ts'

/** Jobs, files or user_data as targets of names and patterns. */
export interface Target {
  noun: string
  code: ErrorCode
  names: NameIndex
  select: Select
}

export interface Targets {
  jobs: Target
  files: Target
  userData: Target
}

/** The lists of a job that name other things; the keys of names and patterns, and the field they fill. */
export const LINK_LISTS = [
  { names: 'depends_on', patterns: 'depends_on_regexes', target: 'jobs', field: 'dependsOn' },
  { names: 'input_files', patterns: 'input_file_regexes', target: 'files', field: 'inputFiles' },
  { names: 'output_files', patterns: 'output_file_regexes', target: 'files', field: 'outputFiles' },
  { names: 'input_user_data', patterns: 'input_user_data_regexes', target: 'userData', field: 'inputUserData' },
  { names: 'output_user_data', patterns: 'output_user_data_regexes', target: 'userData', field: 'outputUserData' },
] as const

export type LinkList = (typeof LINK_LISTS)[number]

/** Rows that the links of one file may become; two patterns `.*` on a thousand jobs are a million already. */
const MOST_LINKS = 10_000_000

/** Fills the lists of every job: names, then patterns, then references in its command; each link once, ascending. */
export function linkJobs(
  expansion: JobExpansion,
  targets: Targets,
  files: FileExpansion,
  userData: UserDataExpansion,
  context: SpecContext,
): void {
  let links = 0
  for (const template of expansion.templates) {
    for (const list of LINK_LISTS) links += linkList(template, list, expansion.jobs, targets[list.target], context)
    if (links > MOST_LINKS) {
      context.report.error(
        'bad_value',
        { at: template.object.node.at, path: template.object.path },
        `the jobs have more than ${MOST_LINKS} links`,
      )
      return
    }
    resolveReferences(template, expansion.jobs, files, userData, context)
    for (const job of jobsOf(template, expansion.jobs))
      for (const { field } of LINK_LISTS) job[field] = ascendingOnce(job[field])
  }
}

/** The jobs of a template, merged ones once. */
function jobsOf(template: JobTemplate, jobs: readonly ExpandedJob[]): ExpandedJob[] {
  return [...new Set(template.jobOfCopy)].map(index => jobs[index]!)
}

function ascendingOnce(indices: number[]): number[] {
  if (indices.length < 2) return indices
  indices.sort((a, b) => a - b)
  return indices.filter((value, at) => at === 0 || value !== indices[at - 1])
}

/** Gives the number of links added. */
function linkList(
  template: JobTemplate,
  list: LinkList,
  jobs: readonly ExpandedJob[],
  target: Target,
  context: SpecContext,
): number {
  const { object, copies } = template
  const names = (object.get[list.names]?.items ?? []).map(item => ({
    item,
    text: compileTemplate(item.value, copies.parameters),
  }))
  const patterns = (object.get[list.patterns]?.items ?? []).map(item => ({
    item,
    text: compilePattern(item.value, copies.parameters),
  }))
  if (names.length === 0 && patterns.length === 0) return 0
  let links = 0
  for (const [copy, jobIndex] of template.jobOfCopy.entries()) {
    const into = jobs[jobIndex]![list.field]
    const before = into.length
    const written = new Set<string>()
    for (const { item, text } of names) {
      const name = renderTemplate(text, copy)
      const index = target.names.indexOf.get(name)
      if (written.has(name))
        context.report.warn('repeated_entry', itemPlaceOf(object, list.names, item), `"${name}" is listed twice`)
      else if (index === undefined) reportUnknown(template, list, item, name, copy, target, context)
      else if (list.field === 'dependsOn' && index === jobIndex) reportSelf(template, item, name, context)
      else into.push(index)
      written.add(name)
    }
    for (const { item, text } of patterns) {
      for (const index of selectOrReport(template, list, item, renderTemplate(text, copy), copy, target, context)) {
        if (list.field !== 'dependsOn' || index !== jobIndex) into.push(index)
      }
    }
    links += into.length - before
    if (links > MOST_LINKS) return links
  }
  return links
}

function reportUnknown(
  template: JobTemplate,
  list: LinkList,
  item: TextNode,
  name: string,
  copy: number,
  target: Target,
  context: SpecContext,
): void {
  if (!target.names.complete) return
  const message = `${list.names} names no ${target.noun} "${name}"${describeCopy(template.copies, copy)}`
  context.report.error(
    target.code,
    itemPlaceOf(template.object, list.names, item),
    message,
    nameHint(target.names, name),
  )
}

function reportSelf(template: JobTemplate, item: TextNode, name: string, { report }: SpecContext): void {
  report.error(
    'self_dependency',
    itemPlaceOf(template.object, 'depends_on', item),
    `the job "${name}" cannot wait for itself`,
  )
}

function selectOrReport(
  template: JobTemplate,
  list: LinkList,
  item: TextNode,
  pattern: string,
  copy: number,
  target: Target,
  context: SpecContext,
): readonly number[] {
  const selection = target.select(pattern)
  const place = itemPlaceOf(template.object, list.patterns, item)
  if ('fault' in selection) {
    context.report.error('bad_regex', patternPlace(place, item, selection.fault, context), selection.fault.message)
    return []
  }
  if (selection.indices.length === 0 && target.names.complete) {
    const message = `the pattern "${pattern}" matches no ${target.noun}${describeCopy(template.copies, copy)}`
    context.report.error('no_match', place, message, () => patternHint(pattern, target))
  }
  return selection.indices
}

/** The name that a pattern without match probably meant: the nearest to its letters. */
export function patternHint(pattern: string, target: Target): string | undefined {
  const near = nearest(pattern.replace(/[\^$\\()]/g, ''), target.names.names)
  if (near !== undefined) return `the nearest name is "${near}"`
  return target.names.names.length === 0
    ? `there is no ${target.noun}`
    : `there is, for example, "${target.names.names[0]}"`
}

const DIRECTIONS = ['input', 'output']

function resolveReferences(
  template: JobTemplate,
  jobs: readonly ExpandedJob[],
  files: FileExpansion,
  userData: UserDataExpansion,
  context: SpecContext,
): void {
  const { object } = template
  for (const job of jobsOf(template, jobs)) {
    const resolverOf = (node: TextNode | undefined, key: 'command' | 'invocation_script') => (reference: Reference) => {
      const place = () => referencePlace(object, key, node, reference, context)
      const isFile = reference.noun !== 'user_data'
      const { names } = isFile ? files : userData
      if (reference.noun === 'file' || !DIRECTIONS.includes(reference.direction)) {
        const noun = isFile ? 'files' : 'user_data'
        const hint = `write \${${noun}.input.NAME} or \${${noun}.output.NAME}`
        context.report.error(
          isFile ? 'unknown_file' : 'unknown_user_data',
          place(),
          'this reference is of no known kind',
          hint,
        )
        return undefined
      }
      const index = names.indexOf.get(reference.name)
      if (index === undefined) {
        const message = `there is no ${isFile ? 'file' : 'user_data'} "${reference.name}" to refer to`
        if (names.complete)
          context.report.error(
            isFile ? 'unknown_file' : 'unknown_user_data',
            place(),
            message,
            nameHint(names, reference.name),
          )
        return undefined
      }
      linkReference(job, isFile, reference.direction === 'input', index)
      return isFile ? files.files[index]!.path : (userData.userData[index]!.data ?? 'null')
    }
    job.command = replaceReferences(job.command, resolverOf(object.get.command, 'command'))
    if (job.invocationScript !== undefined) {
      job.invocationScript = replaceReferences(
        job.invocationScript,
        resolverOf(object.get.invocation_script, 'invocation_script'),
      )
    }
  }
}

function linkReference(job: ExpandedJob, isFile: boolean, isInput: boolean, index: number): void {
  if (isFile) (isInput ? job.inputFiles : job.outputFiles).push(index)
  else (isInput ? job.inputUserData : job.outputUserData).push(index)
}

function referencePlace(
  object: SpecObject<typeof JOB>,
  key: 'command' | 'invocation_script',
  node: TextNode | undefined,
  reference: Reference,
  { source }: SpecContext,
): Place {
  const path = joinPath(object.path, key)
  if (!node) return { at: object.node.at, path }
  return { at: offsetInText(source, node, referenceIndex(node.value, reference.ordinal)), path }
}
