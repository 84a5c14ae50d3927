import type { SpecContext } from './env.ts'
import { didYouMean } from './hints.ts'
import type { EXPANSION_FIELDS } from './keys.ts'
import type { Place } from './report.ts'
import { itemPlaceOf, joinPath, keyPlaceOf, placeOf, reportDuplicateKeys, type SpecObject } from './schema.ts'
import type { Table, TableReader } from './tables.ts'
import { type Parameter, printValue } from './template.ts'
import type { MapEntry, MapNode, SpecNode, TextNode } from './tree.ts'
import { kindWord } from './tree.ts'
import { parseValues, type Value } from './values.ts'

/** Values of all parameters of one file together, so that many long ranges cannot fill the memory one by one. */
const MOST_VALUES_IN_FILE = 4_000_000

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

/** The shared sources of the top level. */
export interface SharedSources {
  parameters: MapNode | undefined
  table: TextNode | undefined
}

export function createParameterReader(
  { parameters: shared, table: sharedTable }: SharedSources,
  readTable: TableReader,
  context: SpecContext,
): ParameterReader {
  const { report } = context
  const known = new Map<SpecNode, readonly Value[] | undefined>()
  let valuesInFile = 0
  if (shared) reportDuplicateKeys(shared, 'parameters', report)

  const valuesOf = (entry: MapEntry, path: string): readonly Value[] | undefined => {
    const { value: node } = entry
    if (known.has(node)) return known.get(node)
    const values = readValues(node, { at: node.at, path }, context)
    valuesInFile += values?.length ?? 0
    if (valuesInFile > MOST_VALUES_IN_FILE) {
      report.error(
        'bad_parameter',
        { at: node.at, path },
        `the parameters of this file have more than ${MOST_VALUES_IN_FILE} values`,
      )
      return undefined
    }
    known.set(node, values)
    return values
  }

  const sourceOf = (entry: MapEntry, path: string, usedAt: Place): Source | undefined => {
    if (/[{}:]/.test(entry.key)) {
      report.error('bad_parameter', { at: entry.keyAt, path }, `the name "${entry.key}" of a parameter holds {, } or :`)
      return undefined
    }
    const values = valuesOf(entry, path)
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

  const sharedSources = (entry: Expandable): (Source | undefined)[] =>
    (entry.get.use_parameters?.items ?? []).map(item => {
      const place = itemPlaceOf(entry, 'use_parameters', item)
      const parameter = shared?.entries.find(({ key }) => key === item.value)
      if (parameter) return sourceOf(parameter, joinPath('parameters', parameter.key), place)
      const hint = () => didYouMean(item.value, shared?.entries.map(({ key }) => key) ?? [])
      report.error('unknown_parameter', place, `there is no shared parameter "${item.value}"`, hint)
      return undefined
    })

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
    sharedValues: entry =>
      isReadable(entry.value, context) ? valuesOf(entry, joinPath('parameters', entry.key)) : undefined,
  }
}

function isReadable(node: SpecNode, context: SpecContext): boolean {
  return node.kind !== 'text' || !('message' in parseValues(node.value, path => linesOf(path, context)))
}

function linesOf(path: string, context: SpecContext): string[] | undefined {
  return context.env.readText(path)?.split(/\r?\n/)
}

function readValues(node: SpecNode, place: Place, context: SpecContext): readonly Value[] | undefined {
  const { report } = context
  if (node.kind !== 'text') return readNativeValues(node, place, report)
  const parsed = parseValues(node.value, path => linesOf(path, context))
  if ('message' in parsed) {
    report.error('bad_parameter', place, parsed.message, parsed.hint)
    return undefined
  }
  if (parsed.emptyItem) report.warn('empty_item', place, `the list "${node.value}" has an empty item`)
  if (parsed.quotedSingle)
    report.warn('quoted_single', place, `the quotes stay in the value ${node.value}`, `write [${node.value}]`)
  return parsed.values
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

export interface Expanding<O> {
  object: O
  copies: Copies
}

/**
 * The copies of all entries of one kind; an entry with a problem is left out, and `complete` is false. The sum is limited before the
 * first copy is made.
 */
export function readCopies<O extends Expandable>(
  objects: readonly O[],
  noun: string,
  parameters: ParameterReader,
  { report }: SpecContext,
): { entries: Expanding<O>[]; complete: boolean } {
  const entries: Expanding<O>[] = []
  let count = 0
  for (const object of objects) {
    const copies = parameters.copiesOf(object)
    if (!copies) continue
    count += copies.count
    if (count > MOST_COPIES) {
      report.error(
        'bad_parameter',
        keyPlaceOf(object, 'parameters'),
        `the file makes more than ${MOST_COPIES} ${noun}`,
        'split the workflow',
      )
      return { entries: [], complete: false }
    }
    entries.push({ object, copies })
  }
  return { entries, complete: entries.length === objects.length }
}

