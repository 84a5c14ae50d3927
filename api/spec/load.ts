import type { SpecEnv } from '../core/spec/env.ts'
import { expandSpec, type SpecExpansion } from '../core/spec/expand.ts'
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
  const matcher = hasPatterns(read.tree.root) ? await loadMatcher() : undefined
  return expandSpec(read.tree, { ...options, matcher })
}

/** Whether any job or action has patterns; the keys are looked at before their types are known. */
function hasPatterns(root: SpecNode): boolean {
  if (root.kind !== 'map') return false
  return root.entries.some(
    ({ key, value }) =>
      (key === 'jobs' || key === 'actions') &&
      value.kind === 'list' &&
      value.items.some(item => item.kind === 'map' && item.entries.some(entry => entry.key.endsWith('_regexes'))),
  )
}
