import type { SpecContext } from './env.ts'
import { findLoop, type Loop, type LoopStep, producersOf } from './graph.ts'
import type { JobExpansion } from './jobs.ts'
import { LINK_LISTS, type LinkList, type Targets } from './links.ts'
import type { Place } from './report.ts'
import { itemPlaceOf, placeOf } from './schema.ts'
import { compilePattern, compileTemplate, renderTemplate } from './template.ts'
import type { ExpandedJob, ExpandedWorkflow } from './types.ts'

type Graph = Pick<ExpandedWorkflow, 'jobs' | 'files' | 'userData'>
type LinkField = LinkList['field']

/** Problems of one kind that are looked up in the file; finding the line behind a link is slow, and nobody reads more. */
const MOST_SHOWN = 20

/** Reports jobs that read what they write, loops over all edges, and files that several jobs write. */
export function checkGraph(graph: Graph, expansion: JobExpansion, targets: Targets, context: SpecContext): void {
  const placeOfLink = createPlaceFinder(expansion, targets)
  reportOwnOutputs(graph, placeOfLink, context)
  const loop = findLoop(graph)
  if (loop) reportLoop(loop, graph, placeOfLink, context)
  warnSeveralProducers(graph, placeOfLink, context)
}

type PlaceFinder = (job: number, field: LinkField, index: number) => LinkPlace

interface LinkPlace extends Place {
  isPattern: boolean
}

/** Finds the item of the file that made a link: a name, a pattern, or else a reference in the command. */
function createPlaceFinder({ templates }: JobExpansion, targets: Targets): PlaceFinder {
  return (job, field, index) => {
    const template = templates.find(({ jobOfCopy }) => jobOfCopy.includes(job))!
    const { object, copies, jobOfCopy } = template
    const list = LINK_LISTS.find(list => list.field === field)!
    const target = targets[list.target]
    const name = target.names.names[index]!
    const compiled = {
      names: (object.get[list.names]?.items ?? []).map(item => ({
        item,
        text: compileTemplate(item.value, copies.parameters),
      })),
      patterns: (object.get[list.patterns]?.items ?? []).map(item => ({
        item,
        text: compilePattern(item.value, copies.parameters),
      })),
    }
    for (const [copy, jobOfThis] of jobOfCopy.entries()) {
      if (jobOfThis !== job) continue
      const named = compiled.names.find(({ text }) => renderTemplate(text, copy) === name)
      if (named) return { ...itemPlaceOf(object, list.names, named.item), isPattern: false }
      const matched = compiled.patterns.find(({ text }) => {
        const selection = target.select(renderTemplate(text, copy))
        return 'indices' in selection && selection.indices.includes(index)
      })
      if (matched) return { ...itemPlaceOf(object, list.patterns, matched.item), isPattern: true }
    }
    return { ...placeOf(object, 'command'), isPattern: false }
  }
}

function reportOwnOutputs({ jobs, files, userData }: Graph, placeOfLink: PlaceFinder, context: SpecContext): void {
  let shown = 0
  for (const [job, { inputFiles, outputFiles, inputUserData, outputUserData }] of jobs.entries()) {
    for (const index of common(inputFiles, outputFiles)) {
      if (++shown > MOST_SHOWN) return
      reportOwnOutput(
        files[index]!.name,
        placeOfLink(job, 'inputFiles', index),
        placeOfLink(job, 'outputFiles', index),
        context,
      )
    }
    for (const index of common(inputUserData, outputUserData)) {
      if (++shown > MOST_SHOWN) return
      const [input, output] = [placeOfLink(job, 'inputUserData', index), placeOfLink(job, 'outputUserData', index)]
      reportOwnOutput(userData[index]!.name, input, output, context)
    }
  }
}

/** Torc accepts both and the job waits for ever. A pattern that finds too much has long been in circulation, so it only warns. */
function reportOwnOutput(name: string, input: LinkPlace, output: LinkPlace, { report }: SpecContext): void {
  const message = `this job reads and writes "${name}", so it waits for itself`
  if (input.isPattern) report.warn('own_output', input, message, 'narrow the pattern')
  else report.error('self_dependency', output, message, 'give the result a name of its own')
}

const NONE: number[] = []

/** Both lists ascend. */
function common(a: readonly number[], b: readonly number[]): number[] {
  if (a.length === 0 || b.length === 0) return NONE
  const found: number[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    if (a[i] === b[j]) found.push(a[i]!)
    if (a[i]! <= b[j]!) i++
    else j++
  }
  return found
}

const FIELD_OF_STEP = { job: 'dependsOn', file: 'inputFiles', userData: 'inputUserData' } as const

/** A longer loop is cut in the message. */
const MOST_STEPS = 20

function reportLoop(loop: Loop, graph: Graph, placeOfLink: PlaceFinder, { report }: SpecContext): void {
  const first = loop[0]!
  const names = loop.slice(0, MOST_STEPS).map(step => `${graph.jobs[step.job]!.name} -> ${throughText(step, graph)}`)
  const end = loop.length > MOST_STEPS ? '…' : graph.jobs[first.job]!.name
  const place = placeOfLink(first.job, FIELD_OF_STEP[first.via.kind], first.via.index)
  report.error('cycle', place, `these jobs wait for each other: ${names.join('')}${end}`)
}

function throughText({ via }: LoopStep, { files, userData }: Graph): string {
  switch (via.kind) {
    case 'job':
      return ''
    case 'file':
      return `(file ${files[via.index]!.name}) `
    case 'userData':
      return `(user_data ${userData[via.index]!.name}) `
  }
}

function warnSeveralProducers(
  { jobs, files, userData }: Graph,
  placeOfLink: PlaceFinder,
  { report }: SpecContext,
): void {
  let shown = 0
  for (const [kind, things, field, inputs] of [
    ['files', files, 'outputFiles', 'inputFiles'],
    ['userData', userData, 'outputUserData', 'inputUserData'],
  ] as const) {
    if (!hasRepeats(jobs, field, things.length)) continue
    const producers = producersOf(jobs, things.length, kind)
    const read = new Set(jobs.flatMap(job => job[inputs]))
    for (const [index, makers] of producers.entries()) {
      if (makers.length < 2 || !read.has(index)) continue
      if (++shown > MOST_SHOWN) return
      const message = `"${things[index]!.name}" is made by ${makers.length} jobs, and who reads it waits for all of them`
      report.warn('several_producers', placeOfLink(makers[1]!, field, index), message)
    }
  }
}

function hasRepeats(jobs: readonly ExpandedJob[], field: LinkField, count: number): boolean {
  const seen = new Uint8Array(count)
  return jobs.some(job => job[field].some(index => seen[index]!++ > 0))
}
