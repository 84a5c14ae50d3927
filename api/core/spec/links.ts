import { describeCopy } from './copies.ts'
import type { SpecContext } from './env.ts'
import type { FileExpansion } from './files.ts'
import { nearest } from './hints.ts'
import type { JobExpansion, JobTemplate } from './jobs.ts'
import { type NameIndex, nameHint } from './names.ts'
import { patternPlace } from './pattern-place.ts'
import { resolveReferences } from './reference-links.ts'
import { itemPlaceOf } from './schema.ts'
import type { Select } from './selectors.ts'
import { compilePattern, compileTemplate, renderTemplate } from './template.ts'
import type { TextNode } from './tree.ts'
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
const MOST_LINKS = 5_000_000

/** Fills the lists of every job: names, then patterns, then references in its command; each link once, ascending. */
export function linkJobs(
  { jobs, templates }: JobExpansion,
  targets: Targets,
  files: FileExpansion,
  userData: UserDataExpansion,
  context: SpecContext,
): void {
  const budget = { left: MOST_LINKS }
  for (const template of templates) {
    for (const list of LINK_LISTS) linkList(template, list, jobs, targets[list.target], budget, context)
    if (budget.left < 0) {
      const { node, path } = template.object
      context.report.error('bad_value', { at: node.at, path }, `the jobs have more than ${MOST_LINKS} links`)
      return
    }
    for (const index of new Set(template.jobOfCopy)) {
      const job = jobs[index]!
      resolveReferences(job, template.object, files, userData, context)
      for (const { field } of LINK_LISTS) job[field] = ascendingOnce(job[field])
    }
  }
}

function ascendingOnce(indices: number[]): number[] {
  if (indices.length < 2) return indices
  indices.sort((a, b) => a - b)
  return indices.filter((value, at) => at === 0 || value !== indices[at - 1])
}

/** Adds the targets of one list to the jobs of one template, copy by copy. */
function linkList(
  template: JobTemplate,
  list: LinkList,
  jobs: readonly ExpandedJob[],
  target: Target,
  budget: { left: number },
  context: SpecContext,
): void {
  const find = createFinder(template, list, target, context)
  if (!find) return
  const isOwn = (index: number, job: number) => list.field === 'dependsOn' && index === job
  for (const [copy, job] of template.jobOfCopy.entries()) {
    const into = jobs[job]![list.field]
    const before = into.length
    for (const { index, item } of find.named(copy)) {
      if (!isOwn(index, job)) into.push(index)
      else
        context.report.error(
          'self_dependency',
          itemPlaceOf(template.object, list.names, item),
          'a job cannot wait for itself',
        )
    }
    for (const index of find.matched(copy)) if (!isOwn(index, job)) into.push(index)
    budget.left -= into.length - before
    if (budget.left < 0) return
  }
}

/** What one list of a copy names, and what its patterns match; reports what is not there. */
interface Finder {
  named(copy: number): { index: number; item: TextNode }[]
  matched(copy: number): readonly number[]
}

/** Compiles the items of one list of one template; undefined when it has none. */
function createFinder(
  { object, copies }: JobTemplate,
  list: LinkList,
  target: Target,
  context: SpecContext,
): Finder | undefined {
  const { report } = context
  const { parameters } = copies
  const names =
    object.get[list.names]?.items.map(item => ({ item, text: compileTemplate(item.value, parameters) })) ?? []
  const patterns =
    object.get[list.patterns]?.items.map(item => ({ item, text: compilePattern(item.value, parameters) })) ?? []
  if (names.length + patterns.length === 0) return undefined

  const reportUnknown = (item: TextNode, name: string, copy: number) => {
    if (!target.names.complete) return
    const message = `${list.names} names no ${target.noun} "${name}"${describeCopy(copies, copy)}`
    report.error(target.code, itemPlaceOf(object, list.names, item), message, nameHint(target.names, name))
  }

  const selectOrReport = (item: TextNode, pattern: string, copy: number): readonly number[] => {
    const selection = target.select(pattern)
    if ('indices' in selection && (selection.indices.length > 0 || !target.names.complete)) return selection.indices
    const place = itemPlaceOf(object, list.patterns, item)
    if ('fault' in selection) {
      report.error('bad_regex', patternPlace(place, item, selection.fault, context), selection.fault.message)
    } else {
      const message = `the pattern "${pattern}" matches no ${target.noun}${describeCopy(copies, copy)}`
      report.error('no_match', place, message, () => patternHint(pattern, target))
    }
    return []
  }

  return {
    named(copy) {
      const found: { index: number; item: TextNode }[] = []
      const written = names.length > 1 ? new Set<string>() : undefined
      for (const { item, text } of names) {
        const name = renderTemplate(text, copy)
        const index = target.names.indexOf.get(name)
        if (written?.has(name))
          report.warn('repeated_entry', itemPlaceOf(object, list.names, item), `"${name}" is listed twice`)
        else if (index === undefined) reportUnknown(item, name, copy)
        else found.push({ index, item })
        written?.add(name)
      }
      return found
    },
    matched: copy => patterns.flatMap(({ item, text }) => selectOrReport(item, renderTemplate(text, copy), copy)),
  }
}

/** The name that a pattern without match probably meant: the nearest to its letters. */
export function patternHint(pattern: string, target: Target): string | undefined {
  const near = nearest(pattern.replace(/[\^$\\()]/g, ''), target.names.names)
  if (near !== undefined) return `the nearest name is "${near}"`
  return target.names.names.length === 0
    ? `there is no ${target.noun}`
    : `there is, for example, "${target.names.names[0]}"`
}
