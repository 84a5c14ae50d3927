import type { Fault } from './schema.ts'

/** A parameter value: a bigint is an integer, a number a float, a string text. */
export type Value = bigint | number | string

export interface ParsedValues {
  values: Value[]
  emptyItem: boolean
  quotedSingle: boolean
}

/** A range with more values is taken for a slip of the keyboard. */
export const MOST_VALUES = 1_000_000

/** Float ranges end where the sum passes the end by more than this; the same tolerance as Torc, as file names depend on it. */
const FLOAT_TOLERANCE = 1e-10

/**
 * Reads the text form of a parameter: `@file`, `{…}`, `[list]`, a range or a single value.
 * `readLines` gives the lines of a value file, undefined when there is none. A text that means nothing gives a fault.
 */
export function parseValues(text: string, readLines: (path: string) => string[] | undefined): ParsedValues | Fault {
  const trimmed = unwrapBraces(text.trim())
  if (trimmed.startsWith('@')) return readValueFile(trimmed.slice(1).trim(), readLines)
  if (trimmed.length >= 2 && trimmed.startsWith('[') && trimmed.endsWith(']')) return parseList(trimmed)
  if (trimmed.includes(':')) return parseRange(trimmed)
  const quotedSingle = trimmed.length >= 2 && /^(['"]).*\1$/s.test(trimmed)
  return { values: [readNumberOrText(trimmed)], emptyItem: false, quotedSingle }
}

/** Braces around a text without a comma mean nothing. */
function unwrapBraces(text: string): string {
  if (text.includes(',')) return text
  let inner = text
  while (inner.length >= 2 && inner.startsWith('{') && inner.endsWith('}')) inner = inner.slice(1, -1).trim()
  return inner
}

function plain(values: Value[]): ParsedValues {
  return { values, emptyItem: false, quotedSingle: false }
}

function readValueFile(path: string, readLines: (path: string) => string[] | undefined): ParsedValues | Fault {
  const lines = readLines(path)
  if (!lines)
    return {
      message: `there is no file "${path}"`,
      hint: 'paths are relative to the working directory, then to the workflow file',
    }
  const values = lines
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(readNumberOrText)
  return plain(values)
}

/** Splitting at commas is not JSON parsing: `[a b, 'c']` is fine and `["a,b"]` has two items. */
function parseList(text: string): ParsedValues {
  const inner = text.replace(/^\[+/, '').replace(/\]+$/, '')
  if (inner.trim() === '') return plain([])
  const items = inner.split(',').map(item => item.trim())
  return { values: items.map(readItem), emptyItem: items.includes(''), quotedSingle: false }
}

function readItem(item: string): Value {
  const value = readNumberOrText(item)
  return typeof value === 'string' ? value.replace(/^'+|'+$/g, '').replace(/^"+|"+$/g, '') : value
}

const INTEGER = /^[+-]?[0-9]+$/
const FLOAT = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/
const FLOAT_WORD = /^([+-]?)(inf|infinity|nan)$/i
const LEAST_INTEGER = -(2n ** 63n)
const MOST_INTEGER = 2n ** 63n - 1n

/** Reads an integer within 64 bits, else a float, else the text itself. */
export function readNumberOrText(text: string): Value {
  return readInteger(text) ?? readFloat(text) ?? text
}

function readInteger(text: string): bigint | undefined {
  if (!INTEGER.test(text)) return undefined
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return value >= LEAST_INTEGER && value <= MOST_INTEGER ? value : undefined
}

function readFloat(text: string): number | undefined {
  if (FLOAT.test(text)) return Number(text)
  const word = FLOAT_WORD.exec(text)
  if (!word) return undefined
  if (word[2]!.toLowerCase() === 'nan') return Number.NaN
  return word[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

function parseRange(text: string): ParsedValues | Fault {
  const parts = text.split(':').map(part => part.trim())
  if (parts.length > 3)
    return { message: `the range "${text}" has ${parts.length} parts`, hint: 'a range is start:end or start:end:step' }
  const [start = '', end = '', step = ''] = parts
  const from = readInteger(start)
  const to = readInteger(end)
  if (from !== undefined && to !== undefined) return integerRange(text, from, to, step)
  const floatFrom = readFloat(start)
  const floatTo = readFloat(end)
  if (floatFrom === undefined || floatTo === undefined) {
    return { message: `"${text}" is no range of numbers`, hint: `text with a colon must stand in a list: ['${text}']` }
  }
  return floatRange(text, floatFrom, floatTo, step)
}

function integerRange(text: string, from: bigint, to: bigint, stepText: string): ParsedValues | Fault {
  const step = stepText === '' ? 1n : readInteger(stepText)
  if (step === undefined) {
    const floats = readFloat(stepText) !== undefined
    const hint = floats ? `for a float range write ${from}.0:${to}.0:${stepText}` : 'the step must be an integer'
    return { message: `the range "${text}" has integer bounds and the step "${stepText}"`, hint }
  }
  if (step === 0n) return zeroStep(text)
  const steps = (to - from) / step
  if ((to - from) * step < 0n) return plain([])
  if (steps >= MOST_VALUES) return tooMany(text)
  return plain(Array.from({ length: Number(steps) + 1 }, (_, index) => from + BigInt(index) * step))
}

/** Adds the step again and again, as Torc does: the sums show in file names, so start + i·step would give other names. */
function floatRange(text: string, from: number, to: number, stepText: string): ParsedValues | Fault {
  const step = stepText === '' ? 1 : readFloat(stepText)
  if (step === undefined) return { message: `the step "${stepText}" of the range "${text}" is no number` }
  if (step === 0) return zeroStep(text)
  const values: Value[] = []
  for (let current = from; isWithin(current, to, step); current += step) {
    if (values.length >= MOST_VALUES) return tooMany(text)
    if (current + step === current)
      return { message: `the step of the range "${text}" is too small to move its values` }
    values.push(current)
  }
  return plain(values)
}

function isWithin(current: number, to: number, step: number): boolean {
  return step > 0 ? current <= to + FLOAT_TOLERANCE : current >= to - FLOAT_TOLERANCE
}

function zeroStep(text: string): Fault {
  return { message: `the step of the range "${text}" is zero` }
}

function tooMany(text: string): Fault {
  return { message: `the range "${text}" has more than ${MOST_VALUES} values` }
}
