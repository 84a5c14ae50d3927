import type { MapEntry, SpecNode } from '../core/spec/tree.ts'
import type { Comment } from './find-comments.ts'
import type { Notes } from './notes.ts'

interface Target {
  of: MapEntry | SpecNode
  start: number
  end: number
}

/**
 * Says what each comment of a file stands at: the entry or item that ends before it on the same line, else the next one, else the end of
 * the file.
 */
export function attachComments(root: SpecNode, source: string, comments: readonly Comment[]): Notes {
  const before = new Map<MapEntry | SpecNode, string[]>()
  const behind = new Map<MapEntry | SpecNode, string>()
  const atEnd: string[] = []
  if (comments.length === 0) return { before, behind, atEnd }
  const targets = listTargets(root, source)
  // Outer ones first, so that a comment above an item stands above all of it.
  const byStart = [...targets].sort((a, b) => a.start - b.start || b.end - a.end)
  const byEnd = [...targets].sort((a, b) => a.end - b.end || b.start - a.start)
  for (const { at, end, lines } of comments) {
    const last = byEnd[countBefore(byEnd, target => target.end <= at) - 1]
    if (last && lines.length === 1 && !behind.has(last.of) && isSameLine(source, last.end, at)) {
      behind.set(last.of, lines[0]!)
      continue
    }
    const next = byStart[countBefore(byStart, target => target.start < end)]
    if (next === undefined) atEnd.push(...lines)
    else before.set(next.of, [...(before.get(next.of) ?? []), ...lines])
  }
  return { before, behind, atEnd }
}

function listTargets(root: SpecNode, source: string): Target[] {
  const targets: Target[] = []
  // Blocks of YAML end where the next line begins.
  const endOf = ({ at, end }: SpecNode): number => at + source.slice(at, end).trimEnd().length
  const open = [root]
  for (let node = open.pop(); node; node = open.pop()) {
    if (node.kind === 'map') {
      for (const entry of node.entries) {
        targets.push({ of: entry, start: entry.keyAt, end: endOf(entry.value) })
        open.push(entry.value)
      }
    } else if (node.kind === 'list') {
      for (const item of node.items) {
        targets.push({ of: item, start: item.at, end: endOf(item) })
        open.push(item)
      }
    }
  }
  return targets
}

/** How many targets in front of a sorted list pass. */
function countBefore(targets: readonly Target[], passes: (target: Target) => boolean): number {
  let low = 0
  let high = targets.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (passes(targets[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}

function isSameLine(source: string, from: number, to: number): boolean {
  const lineBreak = source.indexOf('\n', from)
  return lineBreak < 0 || lineBreak >= to
}
