import { createHtcondor } from '../../runner/schedulers/htcondor.ts'
import { createPbs } from '../../runner/schedulers/pbs.ts'
import { describeAdapter } from './adapter-scenarios.ts'
import { over } from './fake-cluster.ts'

describeAdapter(
  'PBS (imitation)',
  { name: 'pbs', refused: { queue: 'nowhere' }, throttles: true, twoNodes: {} },
  over('pbs', runtime => createPbs(runtime, 'pbs')),
)
describeAdapter(
  'HTCondor (imitation)',
  { name: 'htcondor', refused: { account: 'nobody' }, throttles: false },
  over('htcondor', createHtcondor),
)
