import { hostRuntime } from '../../runner/schedulers/runtime.ts'
import { createSge } from '../../runner/schedulers/sge.ts'
import { startReal } from '../helpers/real-schedulers.ts'
import { describeAdapter } from '../schedulers/adapter-scenarios.ts'

/** The cell has one host, and the environment smp only: two nodes are two times its slots there. */
const ONE_HOST = { site: { parallelEnvironment: 'smp' } }

describeAdapter(
  'Grid Engine',
  { name: 'sge', refused: { queue: 'nowhere' }, throttles: true, twoNodes: ONE_HOST },
  () => {
    const real = startReal('sge')
    return {
      scheduler: createSge(hostRuntime(real.env)),
      takeAway() {
        process.kill(real.daemon('qmaster'), 'SIGKILL')
        return () => real.startAgain()
      },
      close: () => real.stop(),
    }
  },
)
