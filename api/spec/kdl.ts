import { InvalidKdlError, parse } from '@bgotink/kdl'
import { catchFault, type ReadResult, SyntaxFault } from '../core/spec/fault.ts'
import { WORKFLOW } from '../core/spec/keys.ts'
import { rewriteKdl, scanKdl } from './kdl-scan.ts'
import { KdlShaper } from './kdl-shape.ts'

/** Reads KDL 2, and raw strings of KDL 1, into the tree that the other formats give. */
export function readKdl(source: string): ReadResult {
  return catchFault(() => {
    const { text, offsetOf } = rewriteKdl(source, scanKdl(source))
    const shaper = new KdlShaper(offsetOf)
    const { nodes } = parseKdl(text, offsetOf)
    return { root: shaper.shapeObject(WORKFLOW, nodes, '', 0, source.length), problems: shaper.problems }
  })
}

function parseKdl(text: string, offsetOf: (at: number) => number) {
  try {
    return parse(text, { storeLocations: true })
  } catch (error) {
    const located = error instanceof InvalidKdlError ? [...error.flat()].find(({ start }) => start) : undefined
    if (located) throw toFault(located, text, offsetOf)
    // At the end of a text the parser fails in other ways, and says nothing of use (@bgotink/kdl 0.4.0).
    throw new SyntaxFault(offsetOf(text.trimEnd().length), 'the file ends where more is expected')
  }
}

const BARE_KEYWORD = /^Invalid keyword "([^"]+)"/

function toFault(error: InvalidKdlError, text: string, offsetOf: (at: number) => number): SyntaxFault {
  const at = error.start?.offset ?? text.length
  const message = error.message.replace(/ at (?:\d+:\d+|end of input)$/, '')
  const keyword = BARE_KEYWORD.exec(message)?.[1]
  if (keyword === undefined) return new SyntaxFault(offsetOf(at), message.charAt(0).toLowerCase() + message.slice(1))
  // The parser points behind the word.
  return new SyntaxFault(
    offsetOf(text.lastIndexOf(keyword, at)),
    `"${keyword}" is no value in KDL 2`,
    `write #${keyword}`,
  )
}
