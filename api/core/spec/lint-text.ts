import type { Copies } from './copies.ts'
import type { SpecContext } from './env.ts'
import { significantDigits } from './number-text.ts'
import type { Place } from './report.ts'
import { findPlaceholders, isKnownSpec } from './template.ts'
import type { TextNode } from './tree.ts'

/** Past this many digits a float in a name shows the noise of binary sums. */
const MOST_CLEAN_DIGITS = 15

export interface TextUse {
  /** The text becomes a name or a path, where float noise hurts. */
  isName: boolean
}

/** Warns about placeholders that do not do what they seem to. `known` are the names of parameters anywhere in the file. */
export function lintText(
  node: TextNode,
  path: string,
  copies: Copies,
  known: ReadonlySet<string>,
  use: TextUse,
  context: SpecContext,
): void {
  const text = node.value
  if (!text.includes('{')) return
  const place = { at: node.at, path }
  const checked = new Set<string>()
  for (const { name, spec, start } of findPlaceholders(text, name => known.has(name))) {
    const parameter = copies.parameters.get(name)
    const isShell = text[start - 1] === '$'
    if (!parameter) {
      if (!isShell) warnLeftover(name, place, context)
      continue
    }
    if (isShell) warnShellBrace(name, place, context)
    // A text may repeat a placeholder a hundred thousand times, and a parameter may have a million values.
    if (checked.has(`${name}:${spec}`)) continue
    checked.add(`${name}:${spec}`)
    const row = parameter.values.indexOf(undefined)
    if (row >= 0) reportMissingCell(name, row, place, context)
    if (spec !== undefined && !isKnownSpec(spec)) warnFormat(name, spec, place, context)
    const isNoisy = use.isName && spec === undefined && parameter.values.some(isNoisyFloat)
    if (isNoisy) warnNoise(name, place, context)
  }
}

/** Objects of a JSON table need not share their keys, but a placeholder needs its value in every row. */
function reportMissingCell(name: string, row: number, place: Place, { report }: SpecContext): void {
  report.error('unknown_parameter', place, `row ${row + 1} of the table has no value for {${name}}`)
}

function isNoisyFloat(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && significantDigits(value) > MOST_CLEAN_DIGITS
}

function warnLeftover(name: string, place: Place, { report }: SpecContext): void {
  report.warn(
    'leftover_placeholder',
    place,
    `{${name}} stays as it is: "${name}" is no parameter here`,
    `add "${name}" to use_parameters or parameters`,
  )
}

function warnFormat(name: string, spec: string, place: Place, { report }: SpecContext): void {
  report.warn(
    'format_ignored',
    place,
    `the format "${spec}" of {${name}} does nothing`,
    'use 0Nd for integers or .Nf for floats, such as {n:03d}',
  )
}

function warnShellBrace(name: string, place: Place, { report }: SpecContext): void {
  report.warn(
    'shell_brace',
    place,
    `"${name}" is a parameter, so \${${name}} becomes $ and its value`,
    'rename the shell variable or the parameter',
  )
}

function warnNoise(name: string, place: Place, { report }: SpecContext): void {
  report.warn(
    'float_noise',
    place,
    `values of "${name}" have more than ${MOST_CLEAN_DIGITS} digits`,
    `round them, such as {${name}:.2f}`,
  )
}
