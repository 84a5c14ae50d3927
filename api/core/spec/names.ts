import { didYouMean } from './hints.ts'

/** The final names of one kind of thing, in order, and where each stands. */
export interface NameIndex {
  names: string[]
  indexOf: Map<string, number>
  /** false when an entry could not be expanded: then a name that is not found may be that entry's, and is not reported. */
  complete: boolean
}

export function createNameIndex(): NameIndex {
  return { names: [], indexOf: new Map(), complete: true }
}

export function addName(index: NameIndex, name: string): number {
  index.indexOf.set(name, index.names.length)
  return index.names.push(name) - 1
}

export function nameHint(index: NameIndex, written: string): () => string | undefined {
  return () => didYouMean(written, index.names)
}
