import type { SpecContext } from './env.ts'
import { joinPath } from './schema.ts'
import type { TableReader } from './tables.ts'
import { findPlaceholders, type Placeholder } from './template.ts'
import { entryOf, type MapEntry, type MapNode, offsetInText, type SpecNode, type TextNode } from './tree.ts'

/** A placeholder that is no variable; it must be a parameter of the file. */
interface Unresolved {
  name: string
  node: TextNode
  index: number
  path: string
}

/**
 * Puts the file's `variables` into every text value, before types and expansion: not into keys, `use_parameters`, nor the variables
 * themselves. As soon as there are variables, every other placeholder must be a parameter. Gives the tree to go on with.
 */
export function applyVariables(root: MapNode, readTable: TableReader, context: SpecContext): MapNode {
  const variables = readVariables(root, context)
  if (variables.size === 0) return root
  const { unresolved, ...work }: Substitution = { variables, unresolved: [], texts: context.texts }
  const substituted = substituteMap(root, '', { ...work, unresolved })
  if (context.texts.left < 0) {
    const place = { at: entryOf(root, 'variables')?.keyAt ?? root.at, path: 'variables' }
    context.report.error('bad_value', place, 'the texts with variables in them are too long together')
  }
  const parameters = collectParameterNames(substituted, readTable)
  reportCollisions(root, variables, parameters, context)
  for (const placeholder of unresolved) if (!parameters.has(placeholder.name)) reportUnknown(placeholder, context)
  return substituted
}

/** What putting variables in needs and finds. */
interface Substitution {
  variables: ReadonlyMap<string, string>
  unresolved: Unresolved[]
  /** Characters that the file may still use; nothing more is put in when they are gone. */
  texts: { left: number }
}

function readVariables(root: MapNode, { report }: SpecContext): Map<string, string> {
  const map = entryOf(root, 'variables')?.value
  const variables = new Map<string, string>()
  for (const { key, value } of map?.kind === 'map' ? map.entries : []) {
    if (value.kind !== 'text') continue
    const [own] = findOpenPlaceholders(value.value)
    if (own)
      report.error(
        'bad_value',
        { at: value.at, path: joinPath('variables', key) },
        `a variable cannot hold the placeholder {${own.name}}`,
      )
    variables.set(key, value.value)
  }
  return variables
}

function substituteMap(map: MapNode, path: string, work: Substitution): MapNode {
  const entries = map.entries.map((entry): MapEntry => {
    const isExempt = entry.key === 'use_parameters' || (path === '' && entry.key === 'variables')
    return isExempt ? entry : { ...entry, value: substitute(entry.value, joinPath(path, entry.key), work) }
  })
  return { ...map, entries }
}

function substitute(node: SpecNode, path: string, work: Substitution): SpecNode {
  switch (node.kind) {
    case 'text':
      return substituteText(node, path, work)
    case 'list':
      return {
        ...node,
        items: node.items.map((item, index) => substitute(item, `${path}[${index}]`, work)),
      }
    case 'map':
      return substituteMap(node, path, work)
    case 'null':
    case 'bool':
    case 'int':
    case 'float':
      return node
  }
}

function substituteText(node: TextNode, path: string, { variables, unresolved, texts }: Substitution): TextNode {
  if (!node.value.includes('{')) return node
  const parts: string[] = []
  let from = 0
  for (const { name, start, end } of findOpenPlaceholders(node.value)) {
    const replacement = variables.get(name)
    if (replacement === undefined) unresolved.push({ name, node, index: start, path })
    else {
      texts.left -= replacement.length
      if (texts.left < 0) return node
      parts.push(node.value.slice(from, start), replacement)
      from = end
    }
  }
  return { ...node, value: parts.join('') + node.value.slice(from) }
}

/** `{name}` or `{name:…}`, but neither `${name}`, which is the shell's, nor `{{name}}`, which stays as it is. */
function findOpenPlaceholders(text: string): Placeholder[] {
  return findPlaceholders(text, name => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)).filter(
    ({ start, end }) => text[start - 1] !== '$' && !(text[start - 1] === '{' && text[end] === '}'),
  )
}

/** Parameters of every object and columns of every table of the file. */
function collectParameterNames(root: MapNode, readTable: TableReader): Set<string> {
  const names = new Set<string>()
  const collect = (object: SpecNode, path: string) => {
    if (object.kind !== 'map') return
    const parameters = entryOf(object, 'parameters')?.value
    if (parameters?.kind === 'map') for (const { key } of parameters.entries) names.add(key)
    const file = entryOf(object, 'parameters_file')?.value
    if (file?.kind === 'text')
      for (const column of readTable(file, joinPath(path, 'parameters_file'))?.columns.keys() ?? []) names.add(column)
  }
  collect(root, '')
  for (const key of ['jobs', 'files', 'user_data']) {
    const list = entryOf(root, key)?.value
    if (list?.kind === 'list') for (const [index, item] of list.items.entries()) collect(item, `${key}[${index}]`)
  }
  return names
}

function reportCollisions(
  root: MapNode,
  variables: ReadonlyMap<string, string>,
  parameters: ReadonlySet<string>,
  { report }: SpecContext,
): void {
  const both = [...variables.keys()].filter(name => parameters.has(name))
  if (both.length === 0) return
  const map = entryOf(root, 'variables')?.value
  const first = map?.kind === 'map' ? entryOf(map, both[0]!) : undefined
  const place = { at: first?.keyAt ?? root.at, path: joinPath('variables', both[0]!) }
  report.error(
    'name_collision',
    place,
    `these names are variables and parameters: ${both.join(', ')}`,
    'rename one of the two',
  )
}

function reportUnknown({ name, node, index, path }: Unresolved, { report, source }: SpecContext): void {
  const place = { at: offsetInText(source, node, index), path }
  report.error(
    'unknown_placeholder',
    place,
    `{${name}} is neither a variable nor a parameter`,
    `write { ${name} } if no placeholder is meant`,
  )
}
