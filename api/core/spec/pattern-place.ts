import type { PatternFault, SpecContext } from './env.ts'
import type { Place } from './report.ts'
import { offsetInText, type TextNode } from './tree.ts'

/** Points into a pattern at the character that the engine could not read, when it tells and the pattern stands in the file as it is. */
export function patternPlace(place: Place, item: TextNode, fault: PatternFault, { source }: SpecContext): Place {
  return fault.at === undefined
    ? place
    : { ...place, at: offsetInText(source, item, Math.min(fault.at, item.value.length)) }
}
