import type { LoopApi } from '../loop.ts'

/**
 * Keeps a runner from claiming more jobs than it has slots: each is claimed only once the end of the one before it has been looked at.
 * Costs short jobs some of their pace, as nothing waits behind those that run.
 */
export function claimInStep(slots: number): { ended(): void; watch(api: LoopApi): LoopApi } {
  let open = 0
  return {
    ended: () => void open--,
    watch: api => ({
      ...api,
      async exchange({ claim, ...request }) {
        const limit = Math.min(claim?.limit ?? 0, slots - open)
        const mayClaim = claim !== undefined && limit > 0
        const reply = await api.exchange({
          ...request,
          claim: mayClaim ? { ...claim, limit, hold: undefined } : undefined,
        })
        open += reply?.claimed?.length ?? 0
        return reply
      },
      async release(claims) {
        const isDone = await api.release(claims)
        if (isDone) open -= claims.length
        return isDone
      },
    }),
  }
}
