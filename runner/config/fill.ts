import type { ArgsDef } from 'citty'
import { configPlaces, readConfigFiles } from './files.ts'
import { checkResolved, type Resolved, resolveSettings } from './resolve.ts'
import { SETTINGS } from './settings.ts'

type Values = Record<string, unknown>

/** Gives the options of a command that were not given on its command line the values that files and environment say. */
export function fillFromSettings(parsed: Values, definitions: ArgsDef): void {
  const own = Object.keys(SETTINGS).filter(name => {
    const definition = definitions[name]
    return definition !== undefined && definition.type !== 'positional'
  })
  if (own.length === 0) return
  fill(parsed, own, resolveSettings(readConfigFiles(configPlaces(process.env, process.cwd())), process.env))
}

/** The same with settings that are known. */
export function fill(parsed: Values, own: readonly string[], resolved: ReadonlyMap<string, Resolved>): void {
  const given = new Set(own.filter(name => parsed[name] !== undefined))
  for (const name of own) {
    const found = resolved.get(name)
    if (found === undefined || given.has(name)) continue
    const { rival, kind } = SETTINGS[name]!
    if (rival !== undefined && own.includes(rival) && isStronger(rival, found, given, resolved)) continue
    checkResolved(name, found)
    if (kind !== 'switch') parsed[name] = found.value
    else if (found.value === 'true') parsed[name] = true
  }
}

const isStronger = (
  rival: string,
  found: Resolved,
  given: ReadonlySet<string>,
  resolved: ReadonlyMap<string, Resolved>,
): boolean => given.has(rival) || (resolved.get(rival)?.strength ?? -1) > found.strength
