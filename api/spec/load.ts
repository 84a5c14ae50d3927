import type { SpecEnv } from '../core/spec/env.ts'
import { expandSpec, type SpecExpansion } from '../core/spec/expand.ts'
import { likelyNeedsEngine } from '../core/spec/pattern.ts'
import { EngineNeeded } from '../core/spec/selectors.ts'
import { EMPTY_SUMMARY } from '../core/spec/summary.ts'
import type { SpecFormat, SpecNode } from '../core/spec/tree.ts'
import { loadMatcher } from './matcher.ts'
import { readSpec } from './read.ts'

export interface LoadOptions extends Omit<SpecEnv, 'matcher'> {
  /** Overrides what the extension of the file name says. */
  format?: SpecFormat | undefined
}

/**
 * Reads, checks and expands the text of a workflow file. Expected trouble is in `diagnostics`; `workflow` is undefined when there are
 * errors other than those that may be skipped.
 */
export async function loadSpec(text: string, options: LoadOptions): Promise<SpecExpansion> {
  const read = await readSpec(text, options)
  if ('diagnostics' in read) return { workflow: undefined, diagnostics: read.diagnostics, summary: EMPTY_SUMMARY }
  if (!patternsOf(read.tree.root).some(likelyNeedsEngine)) {
    try {
      return expandSpec(read.tree, options)
    } catch (error) {
      if (!(error instanceof EngineNeeded)) throw error
    }
  }
  return expandSpec(read.tree, { ...options, matcher: await loadMatcher() })
}

/** The patterns of jobs and actions; their keys are looked at before their types are known. */
function patternsOf(root: SpecNode): string[] {
  const entriesOf = (node: SpecNode) => (node.kind === 'map' ? node.entries : [])
  const itemsOf = (node: SpecNode) => (node.kind === 'list' ? node.items : [])
  return entriesOf(root)
    .filter(({ key }) => key === 'jobs' || key === 'actions')
    .flatMap(({ value }) => itemsOf(value))
    .flatMap(entriesOf)
    .filter(({ key }) => key.endsWith('_regexes'))
    .flatMap(({ value }) => itemsOf(value))
    .flatMap(item => (item.kind === 'text' ? [item.value] : []))
}
