import type { ReaderProblem, SpecNode } from './tree.ts'

/** Why a text does not parse. Thrown inside a reader only; its entry function turns it into a value. */
export class SyntaxFault extends Error {
  readonly at: number
  readonly hint: string | undefined

  constructor(at: number, message: string, hint?: string) {
    super(message)
    this.at = at
    this.hint = hint
  }
}

export type ReadResult = ReadTree | { fault: { at: number; message: string; hint: string | undefined } }

export interface ReadTree {
  root: SpecNode
  problems?: ReaderProblem[]
}

/** Deeper files are hostile: no key of the format is ten levels down, and deep recursion ends in a stack overflow. */
export const DEEPEST = 200

/** Runs a reader and turns its fault into a value. */
export function catchFault(read: () => ReadTree): ReadResult {
  try {
    return read()
  } catch (error) {
    if (error instanceof SyntaxFault) return { fault: { at: error.at, message: error.message, hint: error.hint } }
    throw error
  }
}
