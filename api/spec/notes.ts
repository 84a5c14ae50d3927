import type { MapEntry, SpecNode } from '../core/spec/tree.ts'

/** The comments of a file, by what they stand at; texts without the marks of any format. */
export interface Notes {
  /** Lines above an entry of a map or an item of a list. */
  before: ReadonlyMap<MapEntry | SpecNode, readonly string[]>
  /** Behind it on the same line. */
  behind: ReadonlyMap<MapEntry | SpecNode, string>
  /** After everything else. */
  atEnd: readonly string[]
}

export const NO_NOTES: Notes = { before: new Map(), behind: new Map(), atEnd: [] }
