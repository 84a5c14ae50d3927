import type { SpecFormat } from '../core/spec/tree.ts'
import { kdlTokens } from './kdl-scan.ts'
import { yamlTokens } from './yaml-tokens.ts'

/** What a file says that cannot be said in another format, in words; what it means is never lost. */
export function lossesOf(source: string, from: SpecFormat, to: SpecFormat, comments: number): string[] {
  const lost: string[] = []
  if (to === 'json' && comments > 0) {
    lost.push(`${comments} ${comments === 1 ? 'comment' : 'comments'}, as JSON has none`)
  }
  if (from === 'yaml' && hasAlias(source)) lost.push('anchors: each alias has become a copy')
  if (from === 'kdl' && hasCommentedNode(source)) lost.push('nodes behind /-')
  return lost
}

function hasAlias(source: string): boolean {
  for (const { text, isScalar } of yamlTokens(source)) if (!isScalar && text.startsWith('*')) return true
  return false
}

function hasCommentedNode(source: string): boolean {
  let last = ''
  for (const { text } of kdlTokens(source)) {
    if (last === '/' && text.startsWith('-')) return true
    last = text
  }
  return false
}
