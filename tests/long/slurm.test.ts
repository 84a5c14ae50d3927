import { hostRuntime } from '../../runner/schedulers/runtime.ts'
import { createSlurm } from '../../runner/schedulers/slurm.ts'
import { startReal } from '../helpers/real-schedulers.ts'
import { describeAdapter } from '../schedulers/adapter-scenarios.ts'

describeAdapter('Slurm', { name: 'slurm', refused: { queue: 'nowhere' }, throttles: true, twoNodes: {} }, () => {
  const real = startReal('slurm')
  return {
    scheduler: createSlurm(hostRuntime(real.env)),
    takeAway() {
      process.kill(real.daemon('slurmctld'), 'SIGKILL')
      return () => real.startAgain()
    },
    close: () => real.stop(),
  }
})
