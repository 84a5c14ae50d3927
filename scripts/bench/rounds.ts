import type { Contender, Figures, Plan } from './types.ts'

/** What each contender's runs yielded, round by round: runs of the same index stood side by side. */
export type Runs = ReadonlyMap<string, readonly Figures[]>

/** Contenders that went wrong have no runs, but a line each. */
export type Outcome = { runs: Runs; errors: string[] }

/**
 * Lets the contenders take turns, A B A B: whatever else the machine does then falls on all of them. One round before the first is not
 * counted, so that nobody pays for cold caches. Who goes wrong drops out with all its runs; the others go on.
 */
export async function takeTurns(
  { contenders, once = false }: Plan,
  options: { pairs: number; warmUp: boolean; directoryFor(contender: Contender): string; tell(line: string): void },
): Promise<Outcome> {
  const runs = new Map<string, Figures[]>(contenders.map(({ name }) => [name, []]))
  const errors: string[] = []
  const rounds = once ? 1 : options.pairs
  for (let round = options.warmUp && !once ? 0 : 1; round <= rounds; round++) {
    for (const contender of contenders) {
      const { name } = contender
      const own = runs.get(name)
      if (own === undefined) continue
      options.tell(`${name}, ${round === 0 ? 'warming up' : `${round} of ${rounds}`}`)
      try {
        const figures = await contender.run(options.directoryFor(contender))
        if (round > 0) own.push(figures)
      } catch (error) {
        runs.delete(name)
        errors.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  return { runs, errors }
}
