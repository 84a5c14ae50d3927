import { type Copies, combine, copiesOfTable, MOST_COPIES, type NamedValues, ONE_COPY } from './copies.ts'
import type { SpecContext } from './env.ts'
import { didYouMean } from './hints.ts'
import type { EXPANSION_FIELDS, WORKFLOW } from './keys.ts'
import { hasOtherSource } from './parameter-sources.ts'
import type { Place } from './report.ts'
import { itemPlaceOf, joinPath, keyPlaceOf, placeOf, reportDuplicateKeys, type SpecObject } from './schema.ts'
import type { TableReader } from './tables.ts'
import type { MapEntry, MapNode, SpecNode, TextNode } from './tree.ts'
import { createValueReader, isReadableParameter } from './value-reader.ts'
import type { Value } from './values.ts'

/** A job, file or user_data, as far as its copies are concerned. */
export type Expandable = SpecObject<{ what: string; fields: typeof EXPANSION_FIELDS }>

/** Finds out the copies of entries; remembers shared parameters, so that each is read once. */
export interface ParameterReader {
  /** The copies of one entry; undefined when a problem was reported. */
  copiesOf(entry: Expandable): Copies | undefined
  /** The values of a shared parameter for the workflow's env; undefined when its text means nothing. */
  sharedValues(entry: MapEntry): readonly Value[] | undefined
}

interface Source extends NamedValues {
  place: Place
}

/** Reads the shared parameters of the top level when an entry asks for them. */
export function createParameterReader(
  workflow: SpecObject<typeof WORKFLOW>,
  readTable: TableReader,
  context: SpecContext,
): ParameterReader {
  const { parameters: shared, parameters_file: sharedTable } = workflow.get
  const { report } = context
  const valuesOf = createValueReader(context)
  const sharedByName = new Map(shared?.entries.map(entry => [entry.key, entry]))
  if (shared) reportDuplicateKeys(shared, 'parameters', report)
  if (shared && sharedTable) {
    const message = '"parameters_file" cannot stand beside "parameters"'
    report.error('parameter_source', keyPlaceOf(workflow, 'parameters_file'), message, 'keep one of the two')
  }

  const sourceOf = (entry: MapEntry, path: string, usedAt: Place): Source | undefined => {
    if (/[{}:]/.test(entry.key)) {
      report.error('bad_parameter', { at: entry.keyAt, path }, `the name "${entry.key}" of a parameter holds {, } or :`)
      return undefined
    }
    const values = valuesOf(entry.value, path)
    if (!values) return undefined
    if (values.length === 0) report.warn('no_values', usedAt, `"${entry.key}" has no values, so nothing is made here`)
    return { name: entry.key, values, place: { at: entry.value.at, path } }
  }

  const localSources = (entry: Expandable, map: MapNode): (Source | undefined)[] => {
    const path = joinPath(entry.path, 'parameters')
    reportDuplicateKeys(map, path, report)
    return map.entries.map(parameter => {
      const place = { at: parameter.value.at, path: joinPath(path, parameter.key) }
      return sourceOf(parameter, place.path, place)
    })
  }

  const sharedSources = (entry: Expandable): (Source | undefined)[] => {
    const used = new Set<string>()
    return (entry.get.use_parameters?.items ?? []).flatMap(item => {
      const place = itemPlaceOf(entry, 'use_parameters', item)
      if (used.has(item.value)) {
        report.warn('repeated_entry', place, `"${item.value}" is listed twice`)
        return []
      }
      used.add(item.value)
      const parameter = sharedByName.get(item.value)
      if (parameter) return [sourceOf(parameter, joinPath('parameters', parameter.key), place)]
      const hint = () => didYouMean(item.value, sharedByName.keys())
      report.error('unknown_parameter', place, `there is no shared parameter "${item.value}"`, hint)
      return [undefined]
    })
  }

  return {
    copiesOf(entry) {
      const local = entry.get.parameters
      const file = entry.get.parameters_file
      if (file || entry.get.use_parameters_file?.value) {
        if (hasOtherSource(entry, sharedTable, context)) return undefined
        const table = file
          ? readTable(file, joinPath(entry.path, 'parameters_file'))
          : readTable(sharedTable!, 'parameters_file')
        return table && copiesOfTable(table)
      }
      if (!local && !entry.get.use_parameters) return ONE_COPY
      if (local) warnUnusedShared(entry, local, context)
      const sources = local ? localSources(entry, local) : sharedSources(entry)
      if (sources.includes(undefined)) return undefined
      return combineSources(entry, sources as Source[], context)
    },
    sharedValues: ({ key, value }) =>
      isReadableParameter(value, context) ? valuesOf(value, joinPath('parameters', key)) : undefined,
  }
}

function combineSources(entry: Expandable, sources: Source[], { report }: SpecContext): Copies | undefined {
  const combined = combine(sources, entry.get.parameter_mode?.value === 'zip' ? 'zip' : 'product')
  if (!('code' in combined)) return combined
  const odd = combined.code === 'zip_length' ? sources.find(({ name }) => name === combined.odd) : undefined
  report.error(combined.code, odd?.place ?? keyPlaceOf(entry, 'parameters'), combined.message)
  return undefined
}

function warnUnusedShared(entry: Expandable, local: MapNode, { report }: SpecContext): void {
  const ignored = entry.get.use_parameters?.items.find(item => local.entries.every(({ key }) => key !== item.value))
  if (!ignored) return
  const message = `use_parameters is ignored as a whole beside parameters, so "${ignored.value}" is no parameter here`
  report.warn('use_parameters_ignored', placeOf(entry, 'use_parameters'), message, 'keep one of the two')
}

/** An entry that is ready to be copied. */
export interface Expanding<O> {
  object: O
  name: TextNode
  copies: Copies
}

type NamedExpandable = Expandable & { get: { name?: TextNode } }

/** Placeholders of all copies together, counted by their braces: some seconds' work, and more than a million plain jobs need. */
const MOST_PLACEHOLDERS = 20_000_000

/**
 * The copies of all entries of one kind; an entry with a problem or without a name is left out, and `complete` is false. The work is
 * limited before the first copy is made.
 */
export function readCopies<O extends NamedExpandable>(
  objects: readonly O[],
  noun: string,
  parameters: ParameterReader,
  { report }: SpecContext,
): { entries: Expanding<O>[]; complete: boolean } {
  const entries: Expanding<O>[] = []
  let count = 0
  let placeholders = 0
  for (const object of objects) {
    const { name } = object.get
    const copies = parameters.copiesOf(object)
    if (!copies || !name) continue
    count += copies.count
    placeholders += copies.count > 1 ? copies.count * countBraces(object.node) : 0
    if (count > MOST_COPIES || placeholders > MOST_PLACEHOLDERS) {
      const limit = count > MOST_COPIES ? `${MOST_COPIES} ${noun}` : `${MOST_PLACEHOLDERS} placeholders in ${noun}`
      report.error(
        'bad_parameter',
        keyPlaceOf(object, 'parameters'),
        `the file makes more than ${limit}`,
        'split the workflow',
      )
      return { entries: [], complete: false }
    }
    entries.push({ object, name, copies })
  }
  return { entries, complete: entries.length === objects.length }
}

function countBraces(node: SpecNode): number {
  switch (node.kind) {
    case 'text':
      return node.value.split('{').length - 1
    case 'list':
      return node.items.reduce((sum, item) => sum + countBraces(item), 0)
    case 'map':
      return node.entries.reduce((sum, { value }) => sum + countBraces(value), 0)
    case 'null':
    case 'bool':
    case 'int':
    case 'float':
      return 0
  }
}
