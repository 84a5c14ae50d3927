/** What all runners of a soak have seen. */
export type Ledger = {
  /** Jobs whose completion was acknowledged, with the attempt that counted. */
  accepted: Map<number, number>
  /** Jobs of which two attempts were taken. */
  twice: number[]
  /** Answers that no runner should get. */
  unexpected: string[]
  requests: number
  /** How often no answer came, and how often one that asks to come again: `full` when the disk was why. */
  unanswered: number
  refused: { full: number; else: number }
  /** How often a runner said nothing for longer than a lease. */
  silences: number
  /** Completions that came after the job had been given to somebody else. */
  tooLate: number
}

export const openLedger = (): Ledger => ({
  accepted: new Map(),
  twice: [],
  unexpected: [],
  requests: 0,
  unanswered: 0,
  refused: { full: 0, else: 0 },
  silences: 0,
  tooLate: 0,
})
