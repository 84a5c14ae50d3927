import type { Table } from './tables.ts'
import { type Parameter, printValue } from './template.ts'
import type { Value } from './values.ts'

/** Jobs, files or user_data of one file; a product of three careless ranges is a billion. */
export const MOST_COPIES = 1_000_000

/** How often an entry is copied, and the parameters that differ between its copies. */
export interface Copies {
  count: number
  parameters: ReadonlyMap<string, Parameter>
}

/** An entry without parameters: one copy, unchanged. */
export const ONE_COPY: Copies = { count: 1, parameters: new Map() }

export interface NamedValues {
  name: string
  values: readonly Value[]
}

export type ParameterMode = 'product' | 'zip'

/** Why parameters do not combine: lists of two lengths (with the one to point at), or too many copies. */
export type CombineFault =
  | { code: 'zip_length'; message: string; odd: string }
  | { code: 'bad_parameter'; message: string }

/** Combines parameters in the order written, the last fastest; `zip` takes the values of one position together. */
export function combine(sources: readonly NamedValues[], mode: ParameterMode): Copies | CombineFault {
  const [first] = sources
  if (!first) return ONE_COPY
  if (mode === 'zip') {
    const odd = sources.find(({ values }) => values.length !== first.values.length)
    if (odd) return zipFault(first, odd)
    return {
      count: first.values.length,
      parameters: new Map(sources.map(({ name, values }) => [name, { name, values, stride: 1 }])),
    }
  }
  const count = sources.reduce((product, { values }) => product * values.length, 1)
  if (count > MOST_COPIES)
    return { code: 'bad_parameter', message: `the parameters combine to more than ${MOST_COPIES} copies` }
  const parameters = new Map<string, Parameter>()
  let stride = count
  for (const { name, values } of sources) {
    stride /= Math.max(values.length, 1)
    parameters.set(name, { name, values, stride })
  }
  return { count, parameters }
}

function zipFault(first: NamedValues, odd: NamedValues): CombineFault {
  const lengths = `"${odd.name}" has ${odd.values.length} values, "${first.name}" has ${first.values.length}`
  return { code: 'zip_length', message: `zip needs lists of one length: ${lengths}`, odd: odd.name }
}

/** One copy per row; no product with anything. */
export function copiesOfTable({ columns, rowCount }: Table): Copies {
  return {
    count: rowCount,
    parameters: new Map([...columns].map(([name, values]) => [name, { name, values, stride: 1 }])),
  }
}

/** More parameters of a copy are not named in a message. */
const MOST_NAMED = 8

/** Names one copy in a message: ` in expansion {seed=4, path=ssp245}`; nothing for an entry without parameters. */
export function describeCopy(copies: Copies, copy: number): string {
  if (copies.parameters.size === 0) return ''
  const pairs: string[] = []
  for (const { name, values, stride } of copies.parameters.values()) {
    if (pairs.length === MOST_NAMED) break
    const value = values[Math.floor(copy / stride) % values.length]
    pairs.push(value === undefined ? name : `${name}=${printValue(value, undefined)}`)
  }
  const rest = copies.parameters.size > MOST_NAMED ? ', …' : ''
  return ` in expansion {${pairs.join(', ')}${rest}}`
}
