import type { ReadResult, ReadTree } from '../core/spec/fault.ts'
import { formatOfName } from '../core/spec/format-of-name.ts'
import { readJson } from '../core/spec/json.ts'
import { WORKFLOW } from '../core/spec/keys.ts'
import { syntaxDiagnostic } from '../core/spec/report.ts'
import type { MapNode, SpecFormat, SpecNode, SpecTree } from '../core/spec/tree.ts'
import type { Diagnostic } from '../core/spec/types.ts'

export interface ReadOptions {
  fileName: string
  /** Overrides what the extension says. */
  format?: SpecFormat | undefined
}

export type SpecRead = { tree: SpecTree } | { diagnostics: Diagnostic[] }

/**
 * Reads the text of a workflow file into its positioned tree. Gives one syntax error when it does not parse; with a known extension
 * no other format is tried, without one the first of JSON, JSON5, YAML and KDL that gives a map wins.
 */
export async function readSpec(
  text: string,
  { fileName, format = formatOfName(fileName) }: ReadOptions,
): Promise<SpecRead> {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  return format === undefined ? readByTrying(source, fileName) : readAs(source, fileName, format)
}

/** The readers of YAML and KDL are loaded when a file needs them. */
const READERS: Record<SpecFormat, (source: string) => ReadResult | Promise<ReadResult>> = {
  json: source => readJson(source, 'json'),
  json5: source => readJson(source, 'json5'),
  yaml: async source => (await import('./yaml.ts')).readYaml(source),
  kdl: async source => (await import('./kdl.ts')).readKdl(source),
}

async function readAs(source: string, fileName: string, format: SpecFormat): Promise<SpecRead> {
  return toRead(source, fileName, format, await READERS[format](source))
}

function toRead(source: string, fileName: string, format: SpecFormat, result: ReadResult): SpecRead {
  if ('root' in result) return toTree(source, fileName, format, result)
  const { at, message, hint } = result.fault
  return { diagnostics: [syntaxDiagnostic(source, fileName, at, message, hint)] }
}

function toTree(source: string, fileName: string, format: SpecFormat, { root, problems = [] }: ReadTree): SpecRead {
  if (isMap(root)) return { tree: { source, format, root, problems } }
  return {
    diagnostics: [
      syntaxDiagnostic(
        source,
        fileName,
        root.at,
        'a workflow file must be a map of keys',
        'begin with name: and jobs:',
      ),
    ],
  }
}

function isMap(node: SpecNode): node is MapNode {
  return node.kind === 'map'
}

/** A map is a workflow, and not some other text that happens to parse, when it has at least one known key. */
function isWorkflow(root: SpecNode): boolean {
  return isMap(root) && root.entries.some(({ key }) => Object.hasOwn(WORKFLOW.fields, key))
}

/**
 * Most KDL text is one long YAML scalar, so a format wins only with a map; else the error that came furthest tells the most.
 * Of errors at one place YAML's is the best: nearly every text is YAML, and it says that a map is wanted.
 */
async function readByTrying(source: string, fileName: string): Promise<SpecRead> {
  let furthest: SpecRead | undefined
  let furthestAt = -1
  for (const format of ['json', 'json5', 'yaml', 'kdl'] as const) {
    const result = await READERS[format](source)
    if ('root' in result && (format === 'kdl' ? isWorkflow(result.root) : isMap(result.root))) {
      return toTree(source, fileName, format, result)
    }
    const at = 'fault' in result ? result.fault.at : result.root.at
    if (at > furthestAt || (at === furthestAt && format === 'yaml')) {
      furthestAt = at
      furthest = toRead(source, fileName, format, result)
    }
  }
  return furthest!
}
