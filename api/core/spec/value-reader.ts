import type { SpecContext } from './env.ts'
import { readNativeValues } from './native-values.ts'
import type { Place } from './report.ts'
import type { SpecNode } from './tree.ts'
import { parseValues, type Value } from './values.ts'

/** Values of all parameters of one file together, so that many long ranges cannot fill the memory one by one. */
const MOST_VALUES_IN_FILE = 4_000_000

/** Gives the values of a parameter; undefined when its node means nothing, which is reported once. */
export type ValueReader = (node: SpecNode, path: string) => readonly Value[] | undefined

/** Reads each parameter of a file once, however many entries use it. */
export function createValueReader(context: SpecContext): ValueReader {
  const known = new Map<SpecNode, readonly Value[] | undefined>()
  let valuesInFile = 0
  return (node, path) => {
    if (known.has(node)) return known.get(node)
    const place = { at: node.at, path }
    const values = valuesInFile > MOST_VALUES_IN_FILE ? undefined : readValues(node, place, context)
    valuesInFile += values?.length ?? 0
    if (valuesInFile > MOST_VALUES_IN_FILE) {
      const message = `the parameters of this file have more than ${MOST_VALUES_IN_FILE} values`
      context.report.error('bad_parameter', place, message)
      return undefined
    }
    known.set(node, values)
    return values
  }
}

function readValues(node: SpecNode, place: Place, context: SpecContext): readonly Value[] | undefined {
  const { report } = context
  if (node.kind !== 'text') return readNativeValues(node, place, report)
  const parsed = parseParameter(node.value, context)
  if ('message' in parsed) {
    report.error('bad_parameter', place, parsed.message, parsed.hint)
    return undefined
  }
  if (parsed.emptyItem) report.warn('empty_item', place, `the list "${node.value}" has an empty item`)
  if (parsed.quotedSingle) {
    report.warn('quoted_single', place, `the quotes stay in the value ${node.value}`, `write [${node.value}]`)
  }
  return parsed.values
}

/** Whether a shared parameter that only the env uses means anything; if not, its text is put in as written. */
export function isReadableParameter(node: SpecNode, context: SpecContext): boolean {
  return node.kind !== 'text' || !('message' in parseParameter(node.value, context))
}

function parseParameter(text: string, { env }: SpecContext) {
  return parseValues(text, path => env.readText(path)?.split(/\r?\n/))
}
