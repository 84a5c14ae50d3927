import type { SpecFormat } from '../core/spec/tree.ts'
import { kdlTokens } from './kdl-scan.ts'
import { yamlTokens } from './yaml-tokens.ts'

/** A comment of a file: where it stands, and its lines without marks. */
export interface Comment {
  at: number
  end: number
  lines: string[]
}

/** Finds the comments of a text that is known to parse. JSON has none. */
export function findComments(source: string, format: SpecFormat): Comment[] {
  switch (format) {
    case 'json':
      return []
    case 'json5':
      return json5Comments(source)
    case 'yaml':
      return yamlComments(source)
    case 'kdl':
      return kdlComments(source)
  }
}

const JSON5_TOKEN = /\/\/[^\n\r\u2028\u2029]*|\/\*.*?\*\/|"[^"\\]*(?:\\.[^"\\]*)*"|'[^'\\]*(?:\\.[^'\\]*)*'/gs

function json5Comments(source: string): Comment[] {
  return [...source.matchAll(JSON5_TOKEN)]
    .filter(([text]) => text.startsWith('/'))
    .map(match => slashComment(match.index, match[0]))
}

function yamlComments(source: string): Comment[] {
  const comments: Comment[] = []
  for (const { at, text, isScalar } of yamlTokens(source)) {
    if (text.startsWith('#') && !isScalar) {
      comments.push({ at, end: at + text.length, lines: [unindented(text.slice(1))] })
    }
  }
  return comments
}

function kdlComments(source: string): Comment[] {
  const comments: Comment[] = []
  for (const { at, text } of kdlTokens(source)) {
    if (text.startsWith('//') || text.startsWith('/*')) comments.push(slashComment(at, text))
  }
  return comments
}

/** `// …` or a block between stars, which may have a star before each line. */
function slashComment(at: number, text: string): Comment {
  const end = at + text.length
  if (text.startsWith('//')) return { at, end, lines: [unindented(text.slice(2))] }
  const lines = text
    .slice(2, -2)
    .split(/\r?\n/)
    .map(line => line.replace(/^\s*\*? ?/, '').trimEnd())
  while (lines[0] === '') lines.shift()
  while (lines.at(-1) === '') lines.pop()
  return { at, end, lines }
}

const unindented = (text: string): string => text.replace(/^ /, '').trimEnd()
