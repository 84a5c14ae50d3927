import type { Contender, Figures, Plan } from './types.ts'

/** What each contender's runs yielded, round by round: runs of the same index stood side by side. */
export type Runs = ReadonlyMap<string, readonly Figures[]>

/**
 * Lets the contenders take turns, A B A B: whatever else the machine does then falls on all of them. One round before the first is not
 * counted, so that nobody pays for cold caches. Ends at the first wrong result, with its error.
 */
export async function takeTurns(
  { contenders, once = false }: Plan,
  options: { pairs: number; warmUp: boolean; directoryFor(contender: Contender): string; tell(line: string): void },
): Promise<Runs> {
  const runs = new Map<string, Figures[]>(contenders.map(({ name }) => [name, []]))
  const rounds = once ? 1 : options.pairs
  for (let round = options.warmUp && !once ? 0 : 1; round <= rounds; round++) {
    for (const contender of contenders) {
      options.tell(`${contender.name}, ${round === 0 ? 'warming up' : `${round} of ${rounds}`}`)
      const figures = await contender.run(options.directoryFor(contender))
      if (round > 0) runs.get(contender.name)!.push(figures)
    }
  }
  return runs
}
