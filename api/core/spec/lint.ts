import type { Copies } from './copies.ts'
import type { SpecContext } from './env.ts'
import type { FILE, JOB, WORKFLOW } from './keys.ts'
import { LINK_LISTS } from './links.ts'
import { lintText } from './lint-text.ts'
import { itemPlaceOf, joinPath, type SpecObject } from './schema.ts'
import type { TableReader } from './tables.ts'
import type { TextNode } from './tree.ts'

/** Names of parameters anywhere in the file: what a leftover placeholder probably meant. */
export function parameterNames(object: SpecObject<typeof WORKFLOW>, readTable: TableReader): Set<string> {
  const { jobs = [], files = [], user_data: userData = [] } = object.get
  const names = new Set<string>()
  for (const { get, path } of [object, ...jobs, ...files, ...userData]) {
    for (const { key } of get.parameters?.entries ?? []) names.add(key)
    const table = get.parameters_file && readTable(get.parameters_file, joinPath(path, 'parameters_file'))
    for (const column of table?.columns.keys() ?? []) names.add(column)
  }
  return names
}

/** Warns about the texts of one job. */
export function lintJob(
  object: SpecObject<typeof JOB>,
  copies: Copies,
  known: ReadonlySet<string>,
  context: SpecContext,
): void {
  if (known.size === 0) return
  const { get } = object
  const lint = createLinter(object.path, copies, known, context)
  lint(get.name, 'name', true)
  lint(get.command, 'command', false)
  lint(get.invocation_script, 'invocation_script', false)
  for (const list of LINK_LISTS) {
    for (const key of [list.names, list.patterns]) {
      for (const item of get[key]?.items ?? []) {
        if (item.value.includes('{'))
          lintText(item, itemPlaceOf(object, key, item).path, copies, known, { isName: false }, context)
      }
    }
  }
}

/** Warns about the texts of one file. */
export function lintFile(
  object: SpecObject<typeof FILE>,
  copies: Copies,
  known: ReadonlySet<string>,
  context: SpecContext,
): void {
  if (known.size === 0) return
  const lint = createLinter(object.path, copies, known, context)
  lint(object.get.name, 'name', true)
  lint(object.get.path, 'path', true)
}

function createLinter(path: string, copies: Copies, known: ReadonlySet<string>, context: SpecContext) {
  return (node: TextNode | undefined, key: string, isName: boolean) => {
    if (node) lintText(node, joinPath(path, key), copies, known, { isName }, context)
  }
}
