import type { ListedElement, Listing, Verdict } from './types.ts'

/** An allocation that was submitted, as its record has it. */
export type Known = { id: string; acknowledgedAtMs: number }

/**
 * What a listing proves of an allocation. `gone` needs proof: a good listing, started after the submission was acknowledged, that says
 * so or does not have it. Whatever is not proven is unknown, and nothing may follow from that (hpc.md 1.1).
 */
export function verdictOf(listing: Listing, { id, acknowledgedAtMs }: Known): Verdict {
  if (listing.kind === 'unknown') return 'unknown'
  const states = new Set(elementsOf(listing, id).map(element => element.state))
  if (states.has('running')) return 'running'
  if (states.has('queued')) return 'queued'
  if (states.has('unknown')) return 'unknown'
  return listing.gone.has(id) && listing.startedAtMs > acknowledgedAtMs ? 'gone' : 'unknown'
}

/** How many elements of an allocation wait and run; zero of both unless the listing is good. */
export function countElements(listing: Listing, id: string): { queued: number; running: number } {
  const of = (state: Verdict): number => elementsOf(listing, id).filter(element => element.state === state).length
  return { queued: of('queued'), running: of('running') }
}

/** The listed elements of one allocation. Ids are compared whole, so `1234` is never taken for `123`. */
export function elementsOf(listing: Listing, id: string): ListedElement[] {
  return listing.kind === 'listed' ? listing.elements.filter(element => element.allocation === id) : []
}

/** Of the ids that were asked for, those without an element that waits, runs or cannot be judged: for schedulers where absence is proof. */
export function goneOf(ids: readonly string[], elements: readonly ListedElement[]): Set<string> {
  const there = new Set(elements.filter(element => element.state !== 'gone').map(element => element.allocation))
  return new Set(ids.filter(id => !there.has(id)))
}
