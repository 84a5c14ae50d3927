import { hostRuntime, type SchedulerRuntime } from '../../runner/schedulers/runtime.ts'
import type { Scheduler } from '../../runner/schedulers/types.ts'
import type { Cluster } from './cluster.ts'
import { startFake } from './fakes/start.ts'

/** Opens an imitation for describeAdapter(). */
export function over(
  kind: Parameters<typeof startFake>[0],
  create: (runtime: SchedulerRuntime) => Scheduler,
): () => Cluster {
  return () => {
    const fake = startFake(kind)
    return {
      scheduler: create(hostRuntime(fake.env)),
      takeAway() {
        fake.fault('refused')
        return () => fake.fault(undefined)
      },
      close: () => fake.close(),
    }
  }
}
