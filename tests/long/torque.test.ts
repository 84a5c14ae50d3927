import { createPbs } from '../../runner/schedulers/pbs.ts'
import { describeAdapter } from '../schedulers/adapter-scenarios.ts'
import { over } from '../schedulers/fake-cluster.ts'

// Here for the time it takes: what is Torque's own is tested among the quick ones as well.
describeAdapter(
  'Torque (imitation)',
  { name: 'torque', refused: { queue: 'nowhere' }, throttles: true, twoNodes: {} },
  over('torque', runtime => createPbs(runtime, 'torque')),
)
