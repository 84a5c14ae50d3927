export type Span = { cpus: number; launched_at: number; exited_at: number }

/** Most CPUs that ran at one moment. A job that starts in the moment in which another ends takes its place. */
export function mostCpus(spans: readonly Span[]): number {
  const changes = spans.flatMap(({ cpus, launched_at, exited_at }) => [
    { atMs: launched_at, by: cpus },
    { atMs: exited_at, by: -cpus },
  ])
  changes.sort((a, b) => a.atMs - b.atMs || a.by - b.by)
  let running = 0
  return changes.reduce((most, { by }) => {
    running += by
    return Math.max(most, running)
  }, 0)
}
