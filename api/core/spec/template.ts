import { printFixed, printFloat } from './number-text.ts'
import { escapePattern } from './pattern.ts'
import type { Value } from './values.ts'

/** One parameter of an entry: its value in copy i is values[⌊i / stride⌋ mod length]. A row of a table may lack a value. */
export interface Parameter {
  name: string
  values: readonly (Value | undefined)[]
  stride: number
}

/** A text with the parameters of one job, file or user_data to put in; compiled once, rendered for every copy. */
export type Template = string | { parts: readonly (string | Slot)[] }

interface Slot {
  parameter: Parameter
  spec: string | undefined
  /** Printed values, filled as they are needed: many copies share one value. */
  texts: (string | undefined)[]
  print: (value: Value, spec: string | undefined) => string
  /** What stands there when the copy has no value. */
  written: string
}

export interface Placeholder {
  name: string
  /** What stands behind the colon; undefined without one. */
  spec: string | undefined
  start: number
  end: number
}

/** Finds `{name}` and `{name:…}` of the given names; everything up to the next `}` is the spec, other braces are plain text. */
export function findPlaceholders(text: string, isName: (name: string) => boolean): Placeholder[] {
  const found: Placeholder[] = []
  const lastClose = text.lastIndexOf('}')
  for (let start = text.indexOf('{'); start >= 0 && start < lastClose; start = text.indexOf('{', start)) {
    const placeholder = placeholderAt(text, start, isName)
    if (placeholder) found.push(placeholder)
    start = placeholder?.end ?? start + 1
  }
  return found
}

const NAME_END = /[{}:]/g

function placeholderAt(text: string, start: number, isName: (name: string) => boolean): Placeholder | undefined {
  NAME_END.lastIndex = start + 1
  const nameEnd = NAME_END.exec(text)?.index
  if (nameEnd === undefined || text[nameEnd] === '{') return undefined
  const name = text.slice(start + 1, nameEnd)
  if (!isName(name)) return undefined
  if (text[nameEnd] === '}') return { name, spec: undefined, start, end: nameEnd + 1 }
  const close = text.indexOf('}', nameEnd)
  return close < 0 ? undefined : { name, spec: text.slice(nameEnd + 1, close), start, end: close + 1 }
}

/** Prepares a text; without a placeholder it stays itself. */
export function compileTemplate(text: string, parameters: ReadonlyMap<string, Parameter>): Template {
  return compile(text, parameters, printValue)
}

/** Prepares a pattern: inserted values are escaped, so that they match themselves. */
export function compilePattern(text: string, parameters: ReadonlyMap<string, Parameter>): Template {
  return compile(text, parameters, (value, spec) => escapePattern(printValue(value, spec)))
}

function compile(text: string, parameters: ReadonlyMap<string, Parameter>, print: Slot['print']): Template {
  if (parameters.size === 0 || !text.includes('{')) return text
  const parts: (string | Slot)[] = []
  let from = 0
  for (const { name, spec, start, end } of findPlaceholders(text, name => parameters.has(name))) {
    if (start > from) parts.push(text.slice(from, start))
    parts.push({ parameter: parameters.get(name)!, spec, texts: [], print, written: text.slice(start, end) })
    from = end
  }
  if (parts.length === 0) return text
  if (from < text.length) parts.push(text.slice(from))
  return { parts }
}

/** The text of one copy. Inserted values are not searched again. */
export function renderTemplate(template: Template, copy: number): string {
  if (typeof template === 'string') return template
  if (template.parts.length > MANY_PARTS) return template.parts.map(part => renderPart(part, copy)).join('')
  let text = ''
  for (const part of template.parts) text += renderPart(part, copy)
  return text
}

/** Adding is faster for a few parts; for many, each sum would keep all sums before it alive. */
const MANY_PARTS = 16

function renderPart(part: string | Slot, copy: number): string {
  return typeof part === 'string' ? part : renderSlot(part, copy)
}

function renderSlot(slot: Slot, copy: number): string {
  const { values, stride } = slot.parameter
  const index = Math.floor(copy / stride) % values.length
  const known = slot.texts[index]
  if (known !== undefined) return known
  const value = values[index]
  const text = value === undefined ? slot.written : slot.print(value, slot.spec)
  slot.texts[index] = text
  return text
}

/** Wider specs would only serve to fill the memory. */
const WIDEST = 1_000
const PADDED = /^0(\d+)d$/
const FIXED = /^\.(\d+)f$/

/** A value as it stands in a text: integers with `0Nd` are padded, floats with `.Nf` rounded, any other spec does nothing. */
export function printValue(value: Value, spec: string | undefined): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') {
    const digits = widthOf(FIXED, spec)
    return digits === undefined ? printFloat(value) : printFixed(value, digits)
  }
  const width = widthOf(PADDED, spec)
  if (width === undefined) return String(value)
  return value < 0n ? `-${String(-value).padStart(width - 1, '0')}` : String(value).padStart(width, '0')
}

/** Whether a spec is one of the two forms that do something. */
export function isKnownSpec(spec: string): boolean {
  return widthOf(PADDED, spec) !== undefined || widthOf(FIXED, spec) !== undefined
}

function widthOf(form: RegExp, spec: string | undefined): number | undefined {
  const width = spec === undefined ? undefined : form.exec(spec)?.[1]
  return width !== undefined && Number(width) <= WIDEST ? Number(width) : undefined
}
