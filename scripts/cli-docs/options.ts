import type { ArgsDef } from 'citty'
import { CONTROL_PLANE, FORMAT, PAGE } from '../../runner/command-line/options.ts'
import type { Verb } from '../../runner/command-line/verb.ts'

/** Options that most commands have: the reference tells them once. */
export const COMMON: ArgsDef = { ...FORMAT, ...CONTROL_PLANE, ...PAGE }

export type Option = { text: string; about: string }

/** `--tail N`, `-n N`: the ways to write an option. */
export function writeOption(name: string, definition: ArgsDef[string]): Option {
  const value = definition.type === 'boolean' ? '' : ` ${definition.valueHint ?? 'VALUE'}`
  const [short] = [('alias' in definition ? definition.alias : undefined) ?? []].flat()
  const letter = short === undefined ? '' : `-${short}${value}, `
  return { text: `${letter}--${name}${value}`, about: definition.description ?? '' }
}

/** The options that only this command has, and whether it has the common ones. */
export function optionsOf(verb: Verb): { own: Option[]; common: boolean } {
  const all = Object.entries(verb.args).filter(([, definition]) => definition.type !== 'positional')
  const own = all.filter(([name, definition]) => COMMON[name] !== definition)
  return { own: own.map(([name, definition]) => writeOption(name, definition)), common: own.length < all.length }
}

/** `runner jobs list [WORKFLOW] [options]` */
export function usageOf(words: string, verb: Verb): string {
  const positionals = Object.values(verb.args).filter(definition => definition.type === 'positional')
  const places = positionals.map(one => (one.required === false ? `[${one.valueHint}]` : one.valueHint))
  return ['runner', words, ...places, '[options]'].join(' ')
}
